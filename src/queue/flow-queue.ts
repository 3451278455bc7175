// @hot
/**
 * The backlog of one flow: a ring from which each path takes at its own depth. A fast path takes the head; a slow one takes, further back, the
 * packet that the fast ones would deliver just when it can itself. Holes are left where packets were taken.
 */
import { type Micros, NEVER } from "../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { Codel } from "./codel.ts";
import type { FlowList, ListMember } from "./flow-list.ts";

const INITIAL = 32;
/** Number of paths that may take from the middle; further ones take the head. */
const MAX_DEPTHS = 32;
/** Length of the ring, holes included, from which on everything is taken from the head. */
const MAX_SPAN = 16_384;
const NOTHING = new Float64Array(0);

export class FlowQueue implements ListMember<FlowQueue> {
  list: FlowList<FlowQueue> | undefined;
  next: FlowQueue | undefined;
  previous: FlowQueue | undefined;
  /** -1 while the object is not in use. */
  bucket = -1;
  /** Backlog in packets and bytes. */
  packets = 0;
  bytes = 0;
  /** Bytes that the flow may still send in its turn (deficit round robin). */
  deficit = 0;
  /** Times at which the flow became busy after a pause, and at which its backlog was last empty. */
  busySince: Micros = 0;
  idleSince: Micros = 0;
  /** Time that the last packet taken from the head waited, and the smoothed time from there to its acknowledgement by the host's peer, µs; 0 while unknown. */
  wait: Micros = 0;
  rtt: Micros = 0;
  /** Token bucket that drains at the rate of a sparse flow: bytes in it, and the time at which that was computed. */
  level = 0;
  levelAt: Micros = 0;
  /** True if the flow sends more than a sparse flow may. */
  isBulk = false;
  /** True if its packets are not put in order at the far end, so that only the best path carries them. */
  isPrompt = false;
  /** True if the flow was seen before its present backlog. */
  isKnown = false;
  /** Time at which a slower path last took from behind the head. */
  deepAt: Micros = -NEVER;
  /** True if the next packet of the flow is to be dropped. */
  dropsNext = false;
  readonly codel = new Codel();
  #slots = new Int32Array(INITIAL);
  #mask = INITIAL - 1;
  #head = 0;
  #tail = 0;
  /** Place where each path looks next, and the bytes waiting before that; made when a path first takes from behind the head. */
  #cursor: Float64Array | undefined;
  #ahead = NOTHING;

  /** Makes the object a fresh flow. */
  open(bucket: number, now: Micros): void {
    this.bucket = bucket;
    this.packets = 0;
    this.bytes = 0;
    this.deficit = 0;
    this.level = 0;
    this.levelAt = now;
    this.busySince = now;
    this.idleSince = now;
    this.wait = 0;
    this.rtt = 0;
    this.isBulk = false;
    this.isPrompt = false;
    this.isKnown = false;
    this.deepAt = -NEVER;
    this.dropsNext = false;
    this.codel.open();
    this.#head = 0;
    this.#tail = 0;
    this.#cursor = undefined;
    if (this.#mask < INITIAL) return;
    this.#slots = new Int32Array(INITIAL);
    this.#mask = INITIAL - 1;
  }

  push(slot: Slot, bytes: number): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    this.#slots[this.#tail++ & this.#mask] = slot;
    this.packets++;
    this.bytes += bytes;
  }

  /**
   * Takes the first packet that has at least `depth` bytes of backlog before it.
   * @param path id of the path that takes
   * @returns -1 if the backlog is shorter
   */
  takeAt(pool: PacketPool, path: number, depth: number): Slot {
    if (this.packets === 0) return NO_SLOT;
    // Holes behind a head that stays are never freed, so their number is bounded.
    const isLong = this.#tail - this.#head >= MAX_SPAN;
    if (depth <= 0 || path >= MAX_DEPTHS || isLong) return this.#takeIndex(pool, this.#head);
    if (this.bytes <= depth) return NO_SLOT;
    const index = this.#seek(pool, path, depth);
    return index < this.#tail ? this.#takeIndex(pool, index) : NO_SLOT;
  }

  /** Calls `visit` for every waiting packet in order. Cold. */
  each(visit: (slot: Slot) => void): void {
    for (let i = this.#head; i < this.#tail; i++) {
      const slot = this.#slots[i & this.#mask] as number;
      if (slot >= 0) visit(slot);
    }
  }

  /** Moves the path's cursor to where `depth` bytes wait before it. */
  #seek(pool: PacketPool, path: number, depth: number): number {
    if (!this.#cursor) {
      this.#cursor = new Float64Array(MAX_DEPTHS);
      this.#ahead = new Float64Array(MAX_DEPTHS);
    }
    let at = this.#cursor[path] as number;
    let ahead = this.#ahead[path] as number;
    // A cursor much deeper than wanted, or left behind by the head, starts anew.
    if (at < this.#head || ahead > depth * 1.5 + 16_000) {
      at = this.#head;
      ahead = 0;
    }
    while (at < this.#tail) {
      const slot = this.#slots[at & this.#mask] as number;
      if (slot >= 0) {
        if (ahead >= depth) break;
        ahead += pool.length[slot] as number;
      }
      at++;
    }
    this.#cursor[path] = at;
    this.#ahead[path] = ahead;
    return at;
  }

  #takeIndex(pool: PacketPool, index: number): Slot {
    const slot = this.#slots[index & this.#mask] as number;
    const bytes = pool.length[slot] as number;
    this.#slots[index & this.#mask] = NO_SLOT;
    this.packets--;
    this.bytes -= bytes;
    if (this.#cursor) this.#comeCloser(this.#cursor, index, bytes);
    if (index === this.#head)
      while (this.#head < this.#tail && (this.#slots[this.#head & this.#mask] as number) < 0) this.#head++;
    return slot;
  }

  /** Subtracts what was taken at `index` from the bytes before the cursors behind it. */
  #comeCloser(cursor: Float64Array, index: number, bytes: number): void {
    for (let i = 0; i < MAX_DEPTHS; i++) {
      if ((cursor[i] as number) > index) this.#ahead[i] = (this.#ahead[i] as number) - bytes;
    }
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const slots = new Int32Array(capacity);
    for (let i = this.#head; i < this.#tail; i++) slots[i & (capacity - 1)] = this.#slots[i & this.#mask] as number;
    this.#slots = slots;
    this.#mask = capacity - 1;
  }
}
