// @hot
/**
 * The packets of one flow that wait to be sent: a ring from which each path takes at its own depth. A fast path takes the head; a slow one takes
 * the packet that the fast ones would deliver at the moment it itself could, further back. Holes are left where packets were taken.
 */
import type { Micros } from "../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";

const INITIAL = 32;
/** Paths that may take from the middle; further ones take the head. */
export const MAX_DEPTHS = 32;

export class FlowQueue {
  /** -1 while the object is not in use. */
  bucket = -1;
  /** Packets and bytes that wait. */
  packets = 0;
  bytes = 0;
  /** Deficit round robin: bytes this flow may still take in its turn. */
  deficit = 0;
  isListed = false;
  /** When it last became busy, and until when it was; for telling thin flows from bulk. */
  busySince: Micros = 0;
  idleSince: Micros = 0;
  busyBytes = 0;
  isBulk = false;
  /** CoDel (RFC 8289): since when the wait was above what is allowed, and the drops since. */
  aboveSince: Micros = -1;
  dropAt: Micros = 0;
  drops = 0;
  /** The next packet that comes is to be dropped. */
  dropsNext = false;
  #slots = new Int32Array(INITIAL);
  #mask = INITIAL - 1;
  #head = 0;
  #tail = 0;
  /** For each path, where it looks next and how many waiting bytes lie before that. */
  readonly #cursor = new Float64Array(MAX_DEPTHS);
  readonly #ahead = new Float64Array(MAX_DEPTHS);

  /** Makes the object a fresh flow. */
  open(bucket: number, now: Micros): void {
    this.bucket = bucket;
    this.packets = 0;
    this.bytes = 0;
    this.deficit = 0;
    this.busyBytes = 0;
    this.busySince = now;
    this.idleSince = now;
    this.isBulk = false;
    this.aboveSince = -1;
    this.drops = 0;
    this.dropsNext = false;
    this.#head = 0;
    this.#tail = 0;
    this.#cursor.fill(0);
    this.#ahead.fill(0);
  }

  push(slot: Slot, bytes: number): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    this.#slots[this.#tail++ & this.#mask] = slot;
    this.packets++;
    this.bytes += bytes;
  }

  /** The packet at the head, without taking it; -1 for none. */
  peek(): Slot {
    return this.packets === 0 ? NO_SLOT : (this.#slots[this.#head & this.#mask] as number);
  }

  /**
   * Takes the first packet that has at least `depth` waiting bytes before it.
   * @param path id of the path that takes
   * @returns -1 if so much does not wait
   */
  takeAt(pool: PacketPool, path: number, depth: number): Slot {
    if (this.packets === 0) return NO_SLOT;
    if (depth <= 0 || path >= MAX_DEPTHS) return this.#takeIndex(pool, this.#head);
    if (this.bytes <= depth) return NO_SLOT;
    const index = this.#seek(pool, path, depth);
    return index < this.#tail ? this.#takeIndex(pool, index) : NO_SLOT;
  }

  /** Takes the newest packet, for shedding; -1 if the tail is a hole or nothing waits. */
  takeNewest(pool: PacketPool): Slot {
    if (this.packets === 0) return NO_SLOT;
    const slot = this.#slots[(this.#tail - 1) & this.#mask] as number;
    if (slot < 0) return NO_SLOT;
    this.#tail--;
    this.packets--;
    this.bytes -= pool.length[slot] as number;
    for (let i = 0; i < MAX_DEPTHS; i++) if ((this.#cursor[i] as number) > this.#tail) this.#cursor[i] = this.#head;
    return slot;
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
    for (let i = 0; i < MAX_DEPTHS; i++) {
      if ((this.#cursor[i] as number) > index) this.#ahead[i] = (this.#ahead[i] as number) - bytes;
    }
    if (index === this.#head)
      while (this.#head < this.#tail && (this.#slots[this.#head & this.#mask] as number) < 0) this.#head++;
    return slot;
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const slots = new Int32Array(capacity);
    for (let i = this.#head; i < this.#tail; i++) slots[i & (capacity - 1)] = this.#slots[i & this.#mask] as number;
    this.#slots = slots;
    this.#mask = capacity - 1;
  }
}
