// @hot
/**
 * An ordered list of slots that moves through the data path in one call, with the endpoints they share.
 * The batch does not own its slots: each call says who does afterwards.
 */
import { createEndpoint, type Endpoint } from "../endpoint.ts";
import type { Slot } from "./packet-pool.ts";

export class PacketBatch {
  readonly capacity: number;
  readonly slots: Int32Array;
  count = 0;
  /** The peer's endpoint, set by a producer for all datagrams of the batch. */
  readonly remote: Endpoint = createEndpoint();
  /** The local address they were sent to if the socket tells it; otherwise family 0. */
  readonly local: Endpoint = createEndpoint();

  constructor(capacity: number) {
    this.capacity = capacity;
    this.slots = new Int32Array(new ArrayBuffer(4 * capacity));
  }

  get isFull(): boolean {
    return this.count === this.capacity;
  }

  push(slot: Slot): void {
    this.slots[this.count++] = slot;
  }

  at(index: number): Slot {
    return this.slots[index] as number;
  }

  clear(): void {
    this.count = 0;
  }

  /** Removes the first `n` slots and moves the rest to the front. */
  shift(n: number): void {
    this.slots.copyWithin(0, n, this.count);
    this.count -= n;
  }
}
