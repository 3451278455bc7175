import { heapSize } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { DropCounters } from "../../src/drops.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { MAX_AHEAD } from "../../src/resequencer/flow-order.ts";
import { PerFlowResequencer } from "../../src/resequencer/per-flow.ts";
import { BUCKET_MASK, CLASS } from "../../src/wire/data.ts";

const BUCKETS = BUCKET_MASK + 1;
const MEGABYTE = 2 ** 20;
/** The rings' shared cells of four bytes (2 MB), what every flow has of its own (0.5 kB each), and as much again for the runtime's share. */
const BOUND = 16 * MEGABYTE;

function heapBytes(): number {
  Bun.gc(true);
  return heapSize();
}

class Bench {
  readonly pool = new PacketPool(2_048, 100);
  readonly resequencer = new PerFlowResequencer(this.pool, BUCKETS, new DropCounters());
  readonly #batch = new PacketBatch(2_048);
  delivered = 0;

  push(now: number, bucket: number, sequence: number): void {
    const slot = this.pool.take();
    this.pool.flow[slot] = bucket;
    this.pool.class[slot] = CLASS.ORDERED;
    this.pool.sequence[slot] = sequence;
    this.resequencer.push(now, slot);
  }

  poll(now: number): void {
    this.resequencer.poll(now, this.#batch);
    for (let i = 0; i < this.#batch.count; i++) this.pool.release(this.#batch.at(i));
    this.delivered += this.#batch.count;
    this.#batch.count = 0;
  }
}

describe("What a peer with the keys may cost in memory", () => {
  test("is bounded for packets that are abandoned far ahead, in every bucket", () => {
    const before = heapBytes();
    const bench = new Bench();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      bench.push(bucket, bucket, 0);
      bench.resequencer.abandon(bucket, bucket, MAX_AHEAD - 1, 1);
      bench.poll(bucket);
    }
    expect(heapBytes() - before).toBeLessThan(BOUND);
    expect(bench.delivered).toBe(BUCKETS);
  });

  test("is bounded for packets that come far ahead, in every bucket, and none is lost by that", () => {
    const before = heapBytes();
    const bench = new Bench();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      bench.push(bucket, bucket, MAX_AHEAD - 1);
      bench.poll(bucket);
    }
    expect(heapBytes() - before).toBeLessThan(BOUND);
    bench.poll(1_000_000);
    expect(bench.delivered).toBe(BUCKETS);
  });

  test("leaves the memory to flows that need it, once others are done", () => {
    const bench = new Bench();
    for (let bucket = 0; bucket < BUCKETS; bucket++) bench.resequencer.abandon(0, bucket, MAX_AHEAD - 1, 1);
    for (let bucket = 0; bucket < BUCKETS; bucket++) bench.push(0, bucket, 0);
    bench.poll(0);
    for (let bucket = 0; bucket < BUCKETS; bucket++) bench.resequencer.abandon(1, bucket, MAX_AHEAD - 1, 1);
    const { delivered } = bench;
    bench.push(1_000_000, 7, 1_001);
    bench.poll(1_000_001);
    expect(bench.delivered).toBe(delivered);
    for (let sequence = 1; sequence < 1_001; sequence++) bench.push(1_000_002, 7, sequence);
    bench.poll(1_000_003);
    expect(bench.delivered).toBe(delivered + 1_001);
  });
});
