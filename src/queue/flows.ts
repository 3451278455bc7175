// @hot
/** Gives every packet its flow's bucket and its place in it. Flows that share a bucket share an order, which does no harm. */
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { flowHash, type Glance } from "../wire/ip.ts";
import { BUCKET_MASK, SEQUENCE_MASK } from "../wire/messages.ts";

export class Flows {
  readonly #next = new Uint32Array(BUCKET_MASK + 1);
  readonly #salt: number;

  /** @param salt random per run */
  constructor(salt: number) {
    this.#salt = salt;
  }

  bucketOf(view: DataView, start: number, glance: Glance): number {
    return flowHash(view, start, glance, this.#salt) & BUCKET_MASK;
  }

  /** Writes bucket and sequence into the pool's columns. */
  assign(pool: PacketPool, slot: Slot, bucket: number): void {
    const sequence = this.#next[bucket] as number;
    this.#next[bucket] = (sequence + 1) & SEQUENCE_MASK;
    pool.flow[slot] = bucket;
    pool.sequence[slot] = sequence;
    pool.class[slot] = 0;
  }

  /** The newest packet of the bucket is gone: its sequence is given again. */
  takeBack(bucket: number): void {
    this.#next[bucket] = ((this.#next[bucket] as number) - 1) & SEQUENCE_MASK;
  }

  /** All flows begin with sequence 0 again. */
  reset(): void {
    this.#next.fill(0);
  }
}
