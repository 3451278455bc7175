// @hot
/**
 * Packets that were sent in parts, each part in a datagram of its own, and what became of them: all parts must arrive, and one that is lost
 * loses the packet. What is kept with the datagrams is a number beyond the arena's slots that stands for the packet here.
 */
import { NO_SLOT, type Slot } from "../../memory/packet-pool.ts";

export class Parts {
  readonly #first: number;
  readonly #slots: Int32Array;
  /** Parts neither acknowledged nor taken for lost. */
  readonly #left: Uint8Array;
  readonly #isLost: Uint8Array;
  readonly #free: Int32Array;
  #freeCount: number;

  /** @param slots of the arena; so many packets may be on their way in parts */
  constructor(slots: number) {
    this.#first = slots;
    this.#slots = new Int32Array(slots);
    this.#left = new Uint8Array(slots);
    this.#isLost = new Uint8Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
  }

  /** Returns the number that stands for `slot` in `parts` datagrams; `NO_SLOT` if there are too many. */
  open(slot: Slot, parts: number): number {
    if (this.#freeCount === 0) return NO_SLOT;
    const i = this.#free[--this.#freeCount] as number;
    this.#slots[i] = slot;
    this.#left[i] = parts;
    this.#isLost[i] = 0;
    return this.#first + i;
  }

  /** A datagram arrived that `kept` was kept with; the packet if it is complete, `NO_SLOT` otherwise. */
  delivered(kept: number): Slot {
    if (kept < this.#first) return kept;
    const i = kept - this.#first;
    const isWhole = this.#settle(i) && this.#isLost[i] === 0;
    return isWhole ? (this.#slots[i] as number) : NO_SLOT;
  }

  /** A datagram was lost that `kept` was kept with; the packet if this is its first loss, `NO_SLOT` otherwise. */
  lost(kept: number): Slot {
    if (kept < this.#first) return kept;
    const i = kept - this.#first;
    const isNews = this.#isLost[i] === 0;
    this.#isLost[i] = 1;
    this.#settle(i);
    return isNews ? (this.#slots[i] as number) : NO_SLOT;
  }

  /** Settles one fragment; returns true if it was the last. */
  #settle(i: number): boolean {
    const left = (this.#left[i] as number) - 1;
    this.#left[i] = left;
    if (left === 0) this.#free[this.#freeCount++] = i;
    return left === 0;
  }
}
