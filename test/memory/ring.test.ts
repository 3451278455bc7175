import { describe, expect, test } from "bun:test";
import { Ring } from "../../src/memory/ring.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

/** Takes one random step on the ring and on the array; true if both did the same. */
function isSameStep(random: SeededRandom, ring: Ring, model: number[]): boolean {
  const item = random.below(2 ** 31);
  const isFull = model.length === ring.capacity;
  switch (random.below(4)) {
    case 0:
    case 1:
      if (!isFull) model.push(item);
      return ring.push(item) === !isFull;
    case 2:
      return ring.shift() === (model.shift() ?? -1);
    default: {
      const index = random.below(model.length + 2);
      return ring.peek(index) === (model[index] ?? -1);
    }
  }
}

describe("Ring", () => {
  test.each([1, 2, 3, 8, 100])("for %d items does what an array does", (atLeast) => {
    seeded((random) => {
      const ring = new Ring(atLeast);
      const model: number[] = [];
      for (let i = 0; i < 5_000; i++) {
        if (!isSameStep(random, ring, model) || ring.length !== model.length) throw new Error(`step ${i}`);
      }
    })();
  });

  test("holds at least what it was asked for, and a power of two", () => {
    for (const atLeast of [1, 2, 3, 4, 5, 1000, 1024, 1025]) {
      const { capacity } = new Ring(atLeast);
      expect(capacity).toBeGreaterThanOrEqual(atLeast);
      expect(Math.log2(capacity) % 1).toBe(0);
    }
  });

  test("refuses when full and loses nothing", () => {
    const ring = new Ring(4);
    expect([5, 6, 7, 8, 9].map((item) => ring.push(item))).toEqual([true, true, true, true, false]);
    expect([ring.shift(), ring.shift(), ring.shift(), ring.shift(), ring.shift()]).toEqual([5, 6, 7, 8, -1]);
  });
});
