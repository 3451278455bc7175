/** The contract of every scheduler. A new one is a line in the table, with the queue it takes from. */
import { describe, expect, test } from "bun:test";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { FifoQueue } from "../../src/queue/fifo.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { EarliestArrival } from "../../src/scheduler/earliest-arrival.ts";
import { GreedyPull } from "../../src/scheduler/greedy.ts";
import type { PacketQueue, PathView, Scheduler } from "../../src/scheduler/scheduler.ts";
import { seeded } from "../support/seed.ts";

interface Bench {
  readonly scheduler: Scheduler;
  readonly queue: PacketQueue;
}

const SCHEDULERS: Readonly<Record<string, (pool: PacketPool, paths: readonly PathView[]) => Bench>> = {
  greedy: () => ({ scheduler: new GreedyPull(), queue: new FifoQueue(64, 1_000_000) }),
  "earliest-arrival": (pool, paths) => {
    const queue = new FlowQueues(pool, 8, 64);
    return { scheduler: new EarliestArrival(queue, paths), queue };
  },
};

function pathView(id: number): PathView {
  return {
    id,
    metric: 0,
    isUp: true,
    isMeasured: true,
    arrival: 10_000,
    jitter: 0,
    estimate: 1e6,
    randomLoss: 0,
  } as PathView;
}

describe.each(Object.entries(SCHEDULERS))("scheduler %s", (name, create) => {
  test("goes by its name", () => expect(create(new PacketPool(2, 100), []).scheduler.name).toBe(name));

  test("has nothing for a path while nothing waits", () => {
    const path = pathView(0);
    const { scheduler, queue } = create(new PacketPool(2, 100), [path]);
    expect(scheduler.next(0, path, queue)).toBe(-1);
  });

  test("gives the one path every packet, once and in the order of its flow", () => {
    const pool = new PacketPool(40, 100);
    const path = pathView(0);
    const { scheduler, queue } = create(pool, [path]);
    const pushed = Array.from({ length: 30 }, () => {
      const slot = pool.take();
      queue.push(0, slot, 100);
      return slot;
    });
    const given = pushed.map((_, i) => scheduler.next(i * 100, path, queue));
    expect(given).toEqual(pushed);
    expect([scheduler.next(3_000, path, queue), queue.length]).toEqual([-1, 0]);
  });

  test("gives no packet to two paths, and with like paths leaves none behind", () => {
    seeded((random) => {
      const pool = new PacketPool(60, 100);
      const paths = [pathView(0), pathView(1), pathView(2)];
      const { scheduler, queue } = create(pool, paths);
      for (let i = 0; i < 50; i++) {
        const slot = pool.take();
        pool.flow[slot] = i % 4;
        queue.push(0, slot, 100);
      }
      const given: number[] = [];
      for (let i = 0; i < 1_000 && queue.length > 0; i++) {
        const slot = scheduler.next(i, paths[random.below(3)] as PathView, queue);
        if (slot >= 0) given.push(slot);
      }
      expect([given.length, new Set(given).size]).toEqual([50, 50]);
    })();
  });
});
