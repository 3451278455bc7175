/** The contract of every ingress queue. A new one is a line in the table. */
import { describe, expect, test } from "bun:test";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { FifoQueue } from "../../src/queue/fifo.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import type { PacketQueue } from "../../src/scheduler/scheduler.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const PACKETS = 64;

/** For a pool of twice `PACKETS`, with room for `PACKETS` packets and plenty of bytes. */
const QUEUES: Readonly<Record<string, (pool: PacketPool) => PacketQueue>> = {
  fifo: () => new FifoQueue(PACKETS, 1_000_000),
  "flow-queues": (pool) => new FlowQueues(pool, 8, PACKETS),
};

/** A queue, and what should be in it. */
class Checked {
  readonly pool = new PacketPool(2 * PACKETS, 100);
  readonly waiting = new Map<number, number>();
  readonly queue: PacketQueue;
  now = 0;
  readonly #sequences = [0, 0, 0];

  constructor(create: (pool: PacketPool) => PacketQueue) {
    this.queue = create(this.pool);
  }

  push(flow: number, bytes: number): boolean {
    const slot = this.pool.take();
    this.pool.flow[slot] = flow;
    this.pool.sequence[slot] = this.#sequences[flow] as number;
    this.pool.length[slot] = bytes;
    this.pool.time[slot] = this.now;
    const isIn = this.queue.push(this.now, slot, bytes) === 0;
    if (isIn) {
      this.waiting.set(slot, bytes);
      this.#sequences[flow] = (this.#sequences[flow] as number) + 1;
    } else this.pool.release(slot);
    return isIn;
  }

  /** Takes a slot, releases it and returns it; -1 if there is none. */
  shift(): number {
    const slot = this.queue.shift(this.now);
    if (slot < 0) return slot;
    if (!this.waiting.delete(slot)) throw new Error(`slot ${slot} was not waiting`);
    this.pool.release(slot);
    return slot;
  }

  check(): void {
    const bytes = [...this.waiting.values()].reduce((sum, value) => sum + value, 0);
    expect([this.queue.length, this.queue.bytes]).toEqual([this.waiting.size, bytes]);
  }
}

function step(checked: Checked, random: SeededRandom): void {
  checked.now += random.below(500);
  if (random.chance(0.5)) checked.push(random.below(3), 1 + random.below(100));
  else checked.shift();
  checked.check();
}

describe.each(Object.entries(QUEUES))("packet queue %s", (_name, create) => {
  test("is empty at first", () => {
    const checked = new Checked(create);
    expect(checked.shift()).toBe(-1);
    checked.check();
  });

  test("keeps count of packets and bytes, and gives each back once", () => {
    seeded((random) => {
      const checked = new Checked(create);
      for (let i = 0; i < 3_000; i++) step(checked, random);
      while (checked.shift() >= 0) checked.check();
      expect([checked.waiting.size, checked.pool.free]).toEqual([0, checked.pool.count]);
    })();
  });

  test("keeps the order within a flow", () => {
    const checked = new Checked(create);
    for (let i = 0; i < 30; i++) checked.push(i % 3, 50);
    const seen: number[][] = [[], [], []];
    for (let slot = checked.shift(); slot >= 0; slot = checked.shift()) {
      (seen[checked.pool.flow[slot] as number] as number[]).push(checked.pool.sequence[slot] as number);
    }
    for (const sequences of seen) expect(sequences).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("refuses when full, leaves the slot to the caller, and takes again when there is room", () => {
    const checked = new Checked(create);
    let taken = 0;
    while (taken < 2 * PACKETS && checked.push(0, 10)) taken++;
    // A queue that tells flows apart keeps some room for others.
    // Of what was offered; AQM may have dropped some, never half.
    expect(taken).toBeWithin(PACKETS / 2, PACKETS + 1);
    checked.check();
    checked.shift();
    expect(checked.push(0, 10)).toBe(true);
  });
});
