/** The contract of a congestion controller: events of one path and direction in, permission to send out. It knows no socket, no timer and no content. */
import type { Micros } from "../clock.ts";

/** Measurements that come with one acknowledgement. One object per path, reused. */
export interface AckSample {
  now: Micros;
  /** Bytes and datagrams acknowledged for the first time. */
  bytes: number;
  packets: number;
  /** Round-trip time of the newest acknowledged datagram, µs; 0 if it gives none. */
  rtt: Micros;
  smoothedRtt: Micros;
  minRtt: Micros;
  /** Time at which the newest acknowledged datagram was sent. */
  sentAt: Micros;
  /** Bytes in flight before this acknowledgement. */
  priorInFlight: number;
  /** Bytes in flight now. */
  inFlight: number;
  /** Largest packet number that the receiver has. */
  largest: number;
  /** Packet number that arrived last before the report. */
  latest: number;
  /** Bytes that the receiver had counted when it made the report, and the time of that by its clock; neither wraps. */
  receivedBytes: number;
  receivedAt: Micros;
  /** Time from the arrival of `latest` to the report, µs. */
  ackDelay: Micros;
  /** Bytes sent up to `latest`, including its own. */
  sentBytes: number;
  /** One-way delay of `latest` against the portal's zero, and the deviation of delays that no queue explains, µs. */
  delay: Micros;
  jitter: Micros;
}

export interface CongestionController {
  readonly name: string;
  /** Bytes that may be in flight; Infinity where only the rate limits. */
  readonly window: number;
  /** Rate at which to send, bytes per second; Infinity for no pacing. */
  readonly pacingRate: number;
  /** Estimated capacity of the path, bytes per second; 0 while unknown. */
  readonly estimate: number;
  /** Random loss: share of datagrams that the path loses at any rate, 0 to 1. */
  readonly randomLoss: number;
  /** State in a word, for people; empty for a controller without states. */
  readonly mode: string;
  /** Rate that it must not exceed, bytes per second; Infinity for none. Set by its owner. */
  limit: number;
  /** False in startup, when the estimate says little. */
  readonly isSettled: boolean;
  onSent(now: Micros, number: number, bytes: number): void;
  onAcked(sample: AckSample): void;
  /**
   * Called when datagrams are declared lost.
   * @param bytes in the `packets` datagrams
   * @param sentAt time at which the newest of them was sent
   */
  onLost(now: Micros, bytes: number, packets: number, sentAt: Micros): void;
  /** Called when datagrams arrive that were declared lost. */
  onSpurious(packets: number): void;
  /** Called before a path sends again after a long silence. */
  onIdleRestart(now: Micros): void;
}
