// @hot
/**
 * The packets of one flow that wait to be sent: a ring from which each path takes at its own depth. A fast path takes the head; a slow one takes
 * the packet that the fast ones would deliver at the moment it itself could, further back. Holes are left where packets were taken.
 */
import { type Micros, NEVER } from "../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { Codel } from "./codel.ts";
import type { FlowList, ListMember } from "./flow-list.ts";

const INITIAL = 32;
/** Paths that may take from the middle; further ones take the head. */
export const MAX_DEPTHS = 32;
/** Places of the ring, holes included, at which everything is taken from the head. */
const MAX_SPAN = 16_384;
const NOTHING = new Float64Array(0);

export class FlowQueue implements ListMember<FlowQueue> {
  list: FlowList<FlowQueue> | undefined;
  next: FlowQueue | undefined;
  previous: FlowQueue | undefined;
  /** -1 while the object is not in use. */
  bucket = -1;
  /** Packets and bytes that wait. */
  packets = 0;
  bytes = 0;
  /** Deficit round robin: bytes this flow may still take in its turn. */
  deficit = 0;
  /** Since when it is busy without a pause, and until when it was. */
  busySince: Micros = 0;
  idleSince: Micros = 0;
  /** How long the last packet taken from the head waited, and the time from there until the host's peer had acknowledged it; 0 while unknown. */
  wait: Micros = 0;
  trip: Micros = 0;
  /** What it sent lately, draining at the rate of a sparse flow: bytes, and when that was last brought up to date. */
  level = 0;
  levelAt: Micros = 0;
  /** It sends more than a sparse flow does. */
  isBulk = false;
  /** Its packets are never put in order at the far end: only the best path carries them. */
  isPrompt = false;
  /** It was seen before its present packets. */
  isKnown = false;
  /** When a slower path last took from behind its head. */
  deepAt: Micros = -NEVER;
  /** The next packet that comes is to be dropped. */
  dropsNext = false;
  readonly codel = new Codel();
  #slots = new Int32Array(INITIAL);
  #mask = INITIAL - 1;
  #head = 0;
  #tail = 0;
  /** For each path, where it looks next and how many waiting bytes lie before that; made when a path first takes from behind the head. */
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
    this.trip = 0;
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
   * Takes the first packet that has at least `depth` waiting bytes before it.
   * @param path id of the path that takes
   * @returns -1 if so much does not wait
   */
  takeAt(pool: PacketPool, path: number, depth: number): Slot {
    if (this.packets === 0) return NO_SLOT;
    // While the head stays, holes behind it are room that nothing frees: at last they are enough.
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

  /** What was taken at `index` no longer lies before the cursors behind it. */
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
