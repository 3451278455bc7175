/**
 * Which path takes which packet. A scheduler sees a read-only view of each path and the queue, never a path itself.
 */
import type { Micros } from "../clock.ts";
import type { Slot } from "../memory/packet-pool.ts";

/** What a scheduler may know of a path. */
export interface PathView {
  readonly id: number;
  readonly metric: number;
  readonly isUp: boolean;
  readonly mtu: number;
  /** Whether its delay is known. */
  readonly isMeasured: boolean;
  /** When a packet sent now would arrive: smoothed one-way delay, comparable between paths, and its deviation. */
  readonly arrival: Micros;
  readonly jitter: Micros;
  /** Bytes per second it is believed to carry. */
  readonly estimate: number;
  /** Share of datagrams that it loses of its own, 0 to 1. */
  readonly randomLoss: number;
}

/** Where a scheduler takes packets from. */
export interface PacketQueue {
  readonly length: number;
  readonly bytes: number;
  /** Takes a packet in, its slot with it, and returns 0; or the reason, an index of `DROP`, for which it is to be dropped (the slot stays the caller's). */
  push(now: Micros, slot: Slot, bytes: number): number;
  /** The packet whose turn it is, -1 if there is none; the caller owns it. */
  shift(now: Micros): Slot;
  /** Whether the flow sends much without a pause. */
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
