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
  /** Largest number the receiver has. */
  largest: number;
  /** The number that arrived last before the report. */
  latest: number;
  /** Bytes the receiver had counted when it made the report, and when that was by its clock; neither wraps. */
  receivedBytes: number;
  receivedAt: Micros;
  /** How long before the report `latest` arrived. */
  ackDelay: Micros;
  /** Bytes sent up to `latest`, its datagram included. */
  sentBytes: number;
  /** One-way delay of `latest` against the portal's zero, and its deviation that is not queue. */
  delay: Micros;
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
  /** Share of datagrams the path loses whatever is sent, 0 to 1. */
  readonly randomLoss: number;
  /** What it is doing, in a word, for people; empty where there is nothing to tell. */
  readonly mode: string;
  /** Bytes per second it may not exceed, whatever it finds; Infinity for none. Set by its owner. */
  limit: number;
  /** False while it is still finding out, when the estimate says little. */
  readonly isSettled: boolean;
  onSent(now: Micros, number: number, bytes: number): void;
  onAcked(sample: AckSample): void;
  /**
   * @param bytes newly taken for lost, in `packets` datagrams
   * @param sentAt when the newest of them was sent
   */
  onLost(now: Micros, bytes: number, packets: number, sentAt: Micros): void;
  /** Datagrams taken for lost before have arrived after all. */
  onSpurious(packets: number): void;
  /** The path was silent for long and starts afresh. */
  onIdleRestart(now: Micros): void;
}
