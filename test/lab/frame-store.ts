/** Room for the frames inside all emulated cables: fixed slots, lent and taken back, the last used first. */
import { pointerTo } from "../../ffi/libc.ts";

/** Holds a full frame of a 1500-byte link with room to spare. */
const SLOT_SIZE = 2_048;

export class FrameStore {
  readonly slotSize = SLOT_SIZE;
  readonly lengths: Int32Array;
  /** Times that a slot will still come out of its model: 2 for a frame that is duplicated. */
  readonly shares: Int8Array;
  readonly #memory: Uint8Array;
  readonly #base: number;
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(slots: number) {
    this.#memory = new Uint8Array(new ArrayBuffer(slots * SLOT_SIZE));
    this.#base = pointerTo(this.#memory);
    this.lengths = new Int32Array(slots);
    this.shares = new Int8Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
  }

  acquire(): number {
    if (this.#freeCount === 0) throw new Error("the emulated cables hold more frames than there is room for");
    return this.#free[--this.#freeCount] as number;
  }

  release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }

  /** Returns the bytes of a frame, until its slot is released. */
  bytesOf(slot: number, length: number): Uint8Array {
    return this.#memory.subarray(slot * SLOT_SIZE, slot * SLOT_SIZE + length);
  }

  addressOf(slot: number): number {
    return this.#base + slot * SLOT_SIZE;
  }
}
