// @hot
/** A queue of slots (or any 32-bit integers), first in first out, in a ring of a power of two that never grows. */
import type { PacketBatch } from "./packet-batch.ts";

export class Ring {
  readonly capacity: number;
  readonly #items: Int32Array;
  readonly #mask: number;
  #head = 0;
  #tail = 0;

  /** @param atLeast capacity wanted; rounded up to a power of two */
  constructor(atLeast: number) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(2, atLeast)));
    this.#items = new Int32Array(new ArrayBuffer(4 * this.capacity));
    this.#mask = this.capacity - 1;
  }

  get length(): number {
    return (this.#tail - this.#head) >>> 0;
  }

  /** Appends `item`; returns false if the ring is full. */
  push(item: number): boolean {
    if (this.length === this.capacity) return false;
    this.#items[this.#tail & this.#mask] = item;
    this.#tail = (this.#tail + 1) >>> 0;
    return true;
  }

  /** Removes and returns the oldest item, -1 if the ring is empty. */
  shift(): number {
    if (this.#head === this.#tail) return -1;
    const item = this.#items[this.#head & this.#mask] as number;
    this.#head = (this.#head + 1) >>> 0;
    return item;
  }

  clear(): void {
    this.#head = this.#tail;
  }

  /** Moves items to the end of a batch until one is empty or the other full; returns how many. */
  drainTo(batch: PacketBatch): number {
    let moved = 0;
    while (!batch.isFull && this.#head !== this.#tail) {
      batch.push(this.shift());
      moved++;
    }
    return moved;
  }

  /** Returns the item that `index` older ones precede, -1 beyond the newest; nothing is removed. */
  peek(index = 0): number {
    return index < this.length ? (this.#items[(this.#head + index) & this.#mask] as number) : -1;
  }
}
