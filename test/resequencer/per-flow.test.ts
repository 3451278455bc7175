import { describe, expect, test } from "bun:test";
import { DropCounters } from "../../src/drops.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { PerFlowResequencer } from "../../src/resequencer/per-flow.ts";
import { CLASS } from "../../src/wire/data.ts";

class Bench {
  readonly pool = new PacketPool(64, 100);
  readonly resequencer = new PerFlowResequencer(this.pool, 16, new DropCounters());

  push(now: number, ...sequences: readonly number[]): number[] {
    for (const sequence of sequences) {
      const slot = this.pool.take();
      this.pool.flow[slot] = 3;
      this.pool.class[slot] = CLASS.ORDERED;
      this.pool.sequence[slot] = sequence;
      this.resequencer.push(now, slot);
    }
    return this.poll(now);
  }

  /** A packet to be delivered as it comes, of a flow in the same bucket. */
  pass(now: number, sequence: number): number[] {
    const slot = this.pool.take();
    this.pool.flow[slot] = 3;
    this.pool.class[slot] = CLASS.IMMEDIATE;
    this.pool.sequence[slot] = sequence;
    this.resequencer.push(now, slot);
    return this.poll(now);
  }

  poll(now: number): number[] {
    const batch = new PacketBatch(64);
    this.resequencer.poll(now, batch);
    return Array.from({ length: batch.count }, (_, i) => {
      const sequence = this.pool.sequence[batch.at(i)] as number;
      this.pool.release(batch.at(i));
      return sequence;
    });
  }
}

describe("PerFlowResequencer", () => {
  test("waits for what is missing, and no longer than it was told", () => {
    const bench = new Bench();
    bench.resequencer.hold = 20_000;
    expect(bench.push(0, 0, 2, 3)).toEqual([0]);
    expect(bench.resequencer.deadline()).toBe(20_000);
    expect(bench.poll(19_999)).toEqual([]);
    expect(bench.poll(20_000)).toEqual([2, 3]);
    expect(bench.push(21_000, 1)).toEqual([1]);
  });

  test("goes past a hole at once when the sender says that it will not be filled", () => {
    const bench = new Bench();
    expect(bench.push(0, 0, 2)).toEqual([0]);
    bench.resequencer.abandon(1, 3, 1, 1);
    expect(bench.poll(1)).toEqual([2]);
  });

  test("remembers what the sender gave up further ahead until its turn comes", () => {
    const bench = new Bench();
    expect(bench.push(0, 0, 2, 4, 7)).toEqual([0]);
    bench.resequencer.abandon(1, 3, 3, 1);
    bench.resequencer.abandon(1, 3, 5, 2);
    expect(bench.poll(1)).toEqual([]);
    expect(bench.push(2, 1)).toEqual([1, 2, 4, 7]);
    expect(bench.push(3, 8)).toEqual([8]);
    expect(bench.pool.free).toBe(bench.pool.count);
  });

  test("delivers what was given up and comes all the same, once", () => {
    const bench = new Bench();
    expect(bench.push(0, 0, 2)).toEqual([0]);
    bench.resequencer.abandon(1, 3, 3, 1);
    expect(bench.push(2, 3)).toEqual([]);
    expect(bench.push(3, 1)).toEqual([1, 2, 3]);
    expect(bench.push(4, 3)).toEqual([]);
    expect(bench.pool.free).toBe(bench.pool.count);
  });

  test("lets what waits for nothing pass what is held without disturbing it, once", () => {
    const bench = new Bench();
    expect(bench.push(0, 0, 2, 5)).toEqual([0]);
    expect(bench.pass(1, 3)).toEqual([3]);
    expect(bench.pass(1, 4)).toEqual([4]);
    expect(bench.pass(1, 3)).toEqual([]);
    expect(bench.pass(1, 2)).toEqual([]);
    expect(bench.push(2, 1)).toEqual([1, 2, 5]);
    expect(bench.pass(3, 4)).toEqual([]);
    expect(bench.push(4, 6)).toEqual([6]);
    expect(bench.pool.free).toBe(bench.pool.count);
  });

  test("takes nothing for late that passed before what was given up", () => {
    const bench = new Bench();
    bench.resequencer.hold = 10_000;
    expect(bench.push(0, 0, 2)).toEqual([0]);
    expect(bench.pass(1, 4)).toEqual([4]);
    expect(bench.poll(10_001)).toEqual([2]);
    expect(bench.pass(10_002, 9)).toEqual([9]);
    expect(bench.pass(10_003, 4)).toEqual([]);
    expect(bench.pass(10_003, 3)).toEqual([3]);
    expect(bench.pass(10_004, 9)).toEqual([]);
    expect(bench.pool.free).toBe(bench.pool.count);
  });

  test("goes on the same after it gave back the room of a deep hole", () => {
    const bench = new Bench();
    bench.resequencer.hold = 10_000;
    for (let round = 0; round < 3; round++) {
      const [now, first] = [20_000 * round, 3_003 * round];
      expect(bench.push(now, first, first + 2, first + 3_000)).toEqual([first]);
      expect(bench.push(now, first + 1)).toEqual([first + 1, first + 2]);
      expect(bench.poll(now + 10_000)).toEqual([first + 3_000]);
      expect(bench.push(now, first + 3_002)).toEqual([]);
      expect(bench.push(now, first + 3_001)).toEqual([first + 3_001, first + 3_002]);
    }
    expect(bench.pool.free).toBe(bench.pool.count);
  });
});
