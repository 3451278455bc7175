/**
 * A congestion controller: events of one path and direction in, permission to send out. It knows no socket, no timer and no packet's content.
 */
import type { Micros } from "../clock.ts";

/** What one acknowledgement taught. One object per path, reused. */
export interface AckSample {
  now: Micros;
  /** Newly acknowledged. */
  bytes: number;
  packets: number;
  /** Round-trip time of the newest acknowledged datagram, 0 if it taught none. */
  rtt: Micros;
  smoothedRtt: Micros;
  minRtt: Micros;
  /** When the newest acknowledged datagram was sent. */
  sentAt: Micros;
  /** Bytes in flight before this acknowledgement. */
  priorInFlight: number;
  /** Bytes in flight now. */
  inFlight: number;
  /** True if the sender had nothing to send when the acknowledged datagrams left: the window was not what limited it. */
  appLimited: boolean;
  /** Largest number the receiver has. */
  largest: number;
  /** Bytes the receiver has counted, and when by its clock; neither wraps. */
  receivedBytes: number;
  receivedAt: Micros;
  /** One-way delay of the newest datagram against the portal's zero, the smallest of late, and its deviation that is not queue. */
  delay: Micros;
  baseDelay: Micros;
  jitter: Micros;
}

export interface CongestionController {
  readonly name: string;
  /** Bytes that may be in flight; Infinity where something else limits. */
  readonly window: number;
  /** Bytes per second at which to send; Infinity for no pacing. */
  readonly pacingRate: number;
  /** Bytes per second the path is believed to carry, 0 while unknown. */
  readonly estimate: number;
  /** True where the smallest delay turned out not to be reachable any more: the path is to take the present one for it. */
  readonly wantsRebase: boolean;
  onSent(now: Micros, number: number, bytes: number): void;
  onAcked(sample: AckSample): void;
  /**
   * @param bytes newly taken for lost
   * @param sentAt when the newest of them was sent
   */
  onLost(now: Micros, bytes: number, sentAt: Micros): void;
  /** The path was silent for long and starts afresh. */
  onIdleRestart(now: Micros): void;
}
