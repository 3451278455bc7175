/** The contract of a scheduler, which decides which path takes which packet. It sees a read-only view of each path and the queue, never a path itself. */
import type { Micros } from "../clock.ts";
import type { Slot } from "../memory/packet-pool.ts";
import type { FlowQueues } from "../queue/flow-queues.ts";

/** The part of a path that a scheduler may see. */
export interface PathView {
  readonly id: number;
  readonly metric: number;
  readonly isUp: boolean;
  /** True if its delay is known. */
  readonly isMeasured: boolean;
  /** Smoothed one-way delay of a packet sent now, comparable between paths, and its deviation, µs. */
  readonly arrival: Micros;
  readonly jitter: Micros;
  /** Estimated capacity, bytes per second. */
  readonly estimate: number;
  /** Random loss: share of datagrams that it loses at any rate, 0 to 1. */
  readonly randomLoss: number;
}

/** The queue that a scheduler takes packets from. */
export interface PacketQueue {
  readonly length: number;
  readonly bytes: number;
  /** The same queue where it tells flows apart, undefined where it does not. */
  readonly perFlow: FlowQueues | undefined;
  /** Takes a packet in and returns 0, then owning its slot; or returns the reason, an index of `DROP`, for which the caller is to drop it. */
  push(now: Micros, slot: Slot, bytes: number): number;
  /** Returns the packet whose turn it is, now owned by the caller; -1 if there is none. */
  shift(now: Micros): Slot;
  /** True if the flow is a bulk flow, one that sends much without a pause. */
  isBulk(bucket: number): boolean;
  /** Calls `visit` for every packet that waits, each flow's in order. Cold. */
  each(visit: (slot: Slot) => void): void;
}

export interface Scheduler {
  readonly name: string;
  /**
   * Called when `path` may send a datagram.
   * @returns the packet it is to carry, owned by the caller; -1 for none
   */
  next(now: Micros, path: PathView, queue: PacketQueue): Slot;
}
