/** Congestion control of a simulated host's TCP, and what an acknowledgement tells it. Windows are in segments, as in Linux. */
import type { Micros } from "../../../src/clock.ts";

/** One acknowledgement, after it was applied to the scoreboard. One object per connection, filled anew each time. */
export class AckFacts {
  now: Micros = 0;
  /** Segments newly delivered, cumulatively or selectively. */
  acked = 0;
  isDataAcked = false;
  isUnaAdvanced = false;
  hasDsack = false;
  /** Round trip of the segment acknowledged latest that was never retransmitted; -1 for none. */
  rtt: Micros = -1;
  /** Segments newly taken for lost. */
  newlyLost = 0;
  priorInFlight = 0;
  inFlight = 0;
  /** Sequence numbers, absolute. */
  una = 0;
  nextSequence = 0;
  /** True where the window is what keeps the sender from sending more. */
  isWindowLimited = false;
  /** In Recovery or Loss. */
  isRepairing = false;
  // Delivery rate sample, after tcp_rate.c: segments delivered over `interval`; interval -1 for no sample.
  priorDelivered = 0;
  priorTime: Micros = 0;
  delivered = 0;
  /** Segments delivered since the connection began. */
  totalDelivered = 0;
  interval: Micros = -1;
  isAppLimited = false;
  smoothedRtt: Micros = 0;
}

export interface InnerControl {
  readonly name: string;
  /** Congestion window. The sender's recovery sets it too. */
  window: number;
  threshold: number;
  /** Bytes per microsecond; Infinity for none. */
  pacingRate: number;
  /** True where `onAck` alone rules the window (cong_control of Linux), also in recovery. */
  readonly ownsWindow: boolean;
  /** Called at every acknowledgement that delivered something, before growth. */
  onAck(facts: AckFacts): void;
  /** Grows the window while nothing is being recovered, or in Loss. */
  grow(facts: AckFacts): void;
  /** Loss was found: @returns the new threshold. */
  reduce(now: Micros): number;
  /** Called when the retransmission timer fired. */
  onTimeout(now: Micros): void;
  /** Called when sending begins again after an idle time of `idle`. */
  onRestart(now: Micros, idle: Micros): void;
}
