// @hot
/**
 * Packets sent as several fragments, and how many of those are settled: a packet is delivered with its last fragment and lost with its first lost one.
 * What is kept with the datagrams is a number above the arena's slots that stands for the packet here.
 */
import { NO_SLOT, type Slot } from "../../memory/packet-pool.ts";

export class FragmentedPackets {
  readonly #first: number;
  readonly #slots: Int32Array;
  /** Fragments neither acknowledged nor declared lost. */
  readonly #outstanding: Uint8Array;
  readonly #isLost: Uint8Array;
  readonly #free: Int32Array;
  #freeCount: number;

  /** @param slots slots of the arena, and the most packets that may be outstanding */
  constructor(slots: number) {
    this.#first = slots;
    this.#slots = new Int32Array(slots);
    this.#outstanding = new Uint8Array(slots);
    this.#isLost = new Uint8Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
  }

  /** Returns the number that stands for the packet in `slot`, sent in so many fragments; `NO_SLOT` if there are too many packets. */
  add(slot: Slot, fragments: number): number {
    if (this.#freeCount === 0) return NO_SLOT;
    const i = this.#free[--this.#freeCount] as number;
    this.#slots[i] = slot;
    this.#outstanding[i] = fragments;
    this.#isLost[i] = 0;
    return this.#first + i;
  }

  /** Notes that a datagram with `kept` arrived; returns the packet if it is complete, `NO_SLOT` otherwise. A plain slot is returned as it is. */
  delivered(kept: number): Slot {
    if (kept < this.#first) return kept;
    const i = kept - this.#first;
    const isComplete = this.#settle(i) && this.#isLost[i] === 0;
    return isComplete ? (this.#slots[i] as number) : NO_SLOT;
  }

  /** Notes that a datagram with `kept` was lost; returns the packet if this is its first loss, `NO_SLOT` otherwise. A plain slot is returned as it is. */
  lost(kept: number): Slot {
    if (kept < this.#first) return kept;
    const i = kept - this.#first;
    const isFirst = this.#isLost[i] === 0;
    this.#isLost[i] = 1;
    this.#settle(i);
    return isFirst ? (this.#slots[i] as number) : NO_SLOT;
  }

  /** Settles a fragment; returns true if it was the last of its packet. */
  #settle(i: number): boolean {
    const outstanding = (this.#outstanding[i] as number) - 1;
    this.#outstanding[i] = outstanding;
    if (outstanding === 0) this.#free[this.#freeCount++] = i;
    return outstanding === 0;
  }
}
