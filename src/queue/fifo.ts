/** The dissertation's one queue: first in, first out, bounded in packets and bytes, the newest dropped when full. */
import type { Micros } from "../clock.ts";
import { DROP } from "../drops.ts";
import type { Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";

export class FifoQueue {
  readonly #slots: Ring;
  readonly #sizes: Ring;
  readonly #maxBytes: number;
  readonly perFlow = undefined;
  bytes = 0;

  constructor(maxPackets: number, maxBytes: number) {
    this.#slots = new Ring(maxPackets);
    this.#sizes = new Ring(maxPackets);
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#slots.length;
  }

  push(_now: Micros, slot: Slot, bytes: number): number {
    if (this.bytes + bytes > this.#maxBytes || !this.#slots.push(slot)) return DROP["queue-full"];
    this.#sizes.push(bytes);
    this.bytes += bytes;
    return 0;
  }

  /** Returns false, as flows are not told apart here. */
  isBulk(): boolean {
    return false;
  }

  each(visit: (slot: Slot) => void): void {
    for (let i = 0; i < this.length; i++) visit(this.#slots.peek(i));
  }

  shift(_now: Micros): Slot {
    const slot = this.#slots.shift();
    if (slot >= 0) this.bytes -= this.#sizes.shift();
    return slot;
  }
}
