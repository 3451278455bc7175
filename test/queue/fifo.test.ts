import { describe, expect, test } from "bun:test";
import { DROP } from "../../src/drops.ts";
import { FifoQueue } from "../../src/queue/fifo.ts";

const FULL = DROP["queue-full"];

describe("FifoQueue", () => {
  test("gives back in the order it took", () => {
    const queue = new FifoQueue(8, 10_000);
    for (const slot of [5, 3, 9]) queue.push(0, slot, 100);
    expect([queue.shift(0), queue.shift(0), queue.shift(0), queue.shift(0)]).toEqual([5, 3, 9, -1]);
  });

  test("is bounded in packets, and drops the newest", () => {
    const queue = new FifoQueue(4, 10_000);
    expect([1, 2, 3, 4, 5].map((slot) => queue.push(0, slot, 1))).toEqual([0, 0, 0, 0, FULL]);
    expect([queue.length, queue.bytes, queue.shift(0)]).toEqual([4, 4, 1]);
  });

  test("is bounded in bytes, exactly", () => {
    const queue = new FifoQueue(100, 1_000);
    expect([600, 401, 400, 1].map((bytes, slot) => queue.push(0, slot, bytes))).toEqual([0, FULL, 0, FULL]);
    expect(queue.bytes).toBe(1_000);
    queue.shift(0);
    expect([queue.bytes, queue.push(0, 9, 600)]).toEqual([400, 0]);
  });
});
