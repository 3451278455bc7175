/** The contract of every resequencer. A new one is a line in the table. */
import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { DropCounters } from "../../src/drops.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { ImmediateDispatch } from "../../src/resequencer/immediate.ts";
import { PerFlowResequencer } from "../../src/resequencer/per-flow.ts";
import type { Resequencer } from "../../src/resequencer/resequencer.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const SLOTS = 256;

const RESEQUENCERS: Readonly<Record<string, (pool: PacketPool) => Resequencer>> = {
  immediate: (pool) => new ImmediateDispatch(pool.count),
  "per-flow": (pool) => new PerFlowResequencer(pool, 8, new DropCounters()),
};

/** A resequencer with its pool; what comes out is noted as flow and sequence, and released. */
class Bench {
  readonly pool = new PacketPool(SLOTS, 64);
  readonly out: { flow: number; sequence: number; at: number }[] = [];
  readonly resequencer: Resequencer;
  readonly #batch = new PacketBatch(7);

  constructor(create: (pool: PacketPool) => Resequencer) {
    this.resequencer = create(this.pool);
  }

  push(now: number, flow: number, sequence: number, deliveryClass = 1): void {
    const slot = this.pool.take();
    this.pool.flow[slot] = flow;
    this.pool.sequence[slot] = sequence & 0xffffff;
    this.pool.class[slot] = deliveryClass;
    this.resequencer.push(now, slot);
  }

  poll(now: number): void {
    for (;;) {
      this.#batch.clear();
      const count = this.resequencer.poll(now, this.#batch);
      if (count !== this.#batch.count) throw new Error(`${count} told, ${this.#batch.count} given`);
      for (let i = 0; i < count; i++) {
        const slot = this.#batch.at(i);
        this.out.push({ flow: this.pool.flow[slot] as number, sequence: this.pool.sequence[slot] as number, at: now });
        this.pool.release(slot);
      }
      if (count < this.#batch.capacity) return;
    }
  }

  /** Lets time pass until nothing is held. */
  finish(now: number): void {
    let at = now;
    this.poll(at);
    for (let i = 0; i < 1_000 && this.resequencer.held > 0; i++) {
      at = Math.max(at, this.resequencer.deadline());
      if (at === NEVER) throw new Error("packets are held without a deadline");
      this.poll(at);
    }
  }
}

/** Pushes flows with loss and reordering. */
function disturb(bench: Bench, random: SeededRandom): number {
  let now = 0;
  for (let i = 0; i < 150; i++) {
    now += random.below(3_000);
    const sequence = Math.max(0, i + random.below(9) - 4);
    if (bench.pool.free > 0) bench.push(now, random.below(3), sequence);
    if (random.chance(0.4)) bench.poll(now);
  }
  return now;
}

/** Pushes 60 packets of one flow out of order, in both classes, between false words that some would not come. */
function mixClasses(bench: Bench, random: SeededRandom): number {
  const order = Array.from({ length: 60 }, (_, i) => ({ i, at: i + random.below(12) })).sort((x, y) => x.at - y.at);
  let now = 0;
  for (const { i } of order) {
    now += random.below(2_000);
    bench.push(now, 1, i, random.chance(0.2) ? 0 : 1);
    if (random.chance(0.2)) bench.resequencer.abandon(now, 1, random.below(60), 1 + random.below(4));
    if (random.chance(0.5)) bench.poll(now);
  }
  return now;
}

describe.each(Object.entries(RESEQUENCERS))("resequencer %s", (name, create) => {
  test("goes by its name and waits for nothing at first", () => {
    const { resequencer } = new Bench(create);
    expect([resequencer.name, resequencer.held, resequencer.deadline()]).toEqual([name, 0, NEVER]);
  });

  test("passes on at once and in order what comes in order", () => {
    const bench = new Bench(create);
    for (let i = 0; i < 50; i++) {
      bench.push(i, 5, i);
      bench.poll(i);
    }
    expect(bench.out).toEqual(Array.from({ length: 50 }, (_, i) => ({ flow: 5, sequence: i, at: i })));
  });

  test("wants to be polled while something is ready, and fills no batch beyond its room", () => {
    const bench = new Bench(create);
    for (let i = 0; i < 20; i++) bench.push(10, 1, i);
    expect(bench.resequencer.deadline()).toBeLessThanOrEqual(10);
    bench.poll(10);
    expect(bench.out).toHaveLength(20);
  });

  test("goes on where sequences begin anew after 2^24", () => {
    const bench = new Bench(create);
    // From 0 up to just below 2^24 in steps that no resequencer takes for behind.
    for (let sequence = 0; sequence < 2 ** 24; sequence += 2 ** 20) bench.push(0, 1, sequence);
    bench.finish(0);
    for (let i = -3; i < 3; i++) bench.push(1e9, 1, 2 ** 24 + i);
    bench.poll(1e9);
    bench.finish(1e9);
    const last = bench.out.slice(-6).map(({ sequence }) => sequence);
    expect(last).toEqual([0xfffffd, 0xfffffe, 0xffffff, 0, 1, 2]);
  });

  test("gives out no packet twice, loses no slot, and holds none for ever", () => {
    seeded((random) => {
      for (let round = 0; round < 30; round++) {
        const bench = new Bench(create);
        bench.finish(disturb(bench, random));
        expect([bench.resequencer.held, bench.pool.free]).toEqual([0, SLOTS]);
      }
    })();
  });

  test("gives out every packet once, whatever its class and whatever the sender abandoned", () => {
    seeded((random) => {
      for (let round = 0; round < 200; round++) {
        const bench = new Bench(create);
        bench.finish(mixClasses(bench, random));
        const sequences = bench.out.map(({ sequence }) => sequence).sort((x, y) => x - y);
        expect(sequences).toEqual(Array.from({ length: 60 }, (_, i) => i));
        expect(bench.pool.free).toBe(SLOTS);
      }
    })();
  });

  test("holds a flow for no other flow's missing packet", () => {
    const bench = new Bench(create);
    bench.push(0, 1, 0);
    bench.push(0, 1, 2);
    for (let i = 0; i < 10; i++) bench.push(5, 2, i);
    bench.poll(5);
    expect(bench.out.filter(({ flow }) => flow === 2)).toHaveLength(10);
  });
});
