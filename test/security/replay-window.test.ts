import { describe, expect, test } from "bun:test";
import { ReplayWindow } from "../../src/security/replay-window.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

/** What the window says it does, with a set that forgets nothing. */
class NaiveWindow {
  readonly #seen = new Set<number>();
  readonly #size: number;
  #largest = -1;

  constructor(size: number) {
    this.#size = size;
  }

  accept(sequence: number): boolean {
    if (this.#seen.has(sequence) || sequence <= this.#largest - this.#size) return false;
    this.#seen.add(sequence);
    this.#largest = Math.max(this.#largest, sequence);
    return true;
  }
}

function drawSequence(random: SeededRandom, largest: number, size: number): number {
  const kind = random.below(10);
  if (kind < 4) return largest + 1;
  if (kind < 8) return Math.max(0, largest - random.below(size + 70));
  if (kind < 9) return largest + random.below(100);
  return largest + random.below(3 * size);
}

describe("ReplayWindow", () => {
  test.each([1, 32, 64, 100, 1024, 2000])("with at least %d agrees with a set", (atLeast) => {
    seeded((random) => {
      const window = new ReplayWindow(atLeast);
      const model = new NaiveWindow(window.size);
      for (let i = 0; i < 5_000; i++) {
        const sequence = drawSequence(random, window.largest, window.size);
        const check = window.check(sequence);
        const expected = model.accept(sequence);
        if (check !== expected || window.accept(sequence) !== expected) throw new Error(`step ${i}: ${sequence}`);
      }
    })();
  });

  test("agrees with a set beyond 2^32 and 2^36", () => {
    for (const base of [2 ** 32 - 500, 2 ** 36 - 500, 2 ** 52]) {
      const window = new ReplayWindow(256);
      const model = new NaiveWindow(window.size);
      window.accept(base);
      model.accept(base);
      seeded((random) => {
        for (let i = 0; i < 2_000; i++) {
          const sequence = Math.max(base - 300, window.largest - 320) + random.below(400);
          expect(window.accept(sequence)).toBe(model.accept(sequence));
        }
      })();
    }
  });

  test("covers at least what it was asked for", () => {
    for (const atLeast of [1, 31, 32, 33, 64, 1000, 2047, 131_072]) {
      const window = new ReplayWindow(atLeast);
      expect(window.size).toBeGreaterThanOrEqual(atLeast);
      window.accept(10 * atLeast + 10_000);
      expect(window.check(window.largest - Math.max(atLeast, 2) + 1)).toBe(true);
    }
  });

  test("accepts the last sequence inside and refuses the first outside", () => {
    const window = new ReplayWindow(64);
    window.accept(1_000);
    expect(window.check(1_000 - window.size)).toBe(false);
    expect(window.accept(1_000 - window.size + 1)).toBe(true);
    expect(window.accept(1_000 - window.size + 1)).toBe(false);
  });

  test("accepts zero first and once", () => {
    const window = new ReplayWindow(64);
    expect([window.accept(0), window.accept(0), window.accept(1)]).toEqual([true, false, true]);
  });

  // Steps at the edges of words and of the window, as in the tests around RFC 6479.
  test("forgets nothing when it steps over words", () => {
    const window = new ReplayWindow(128);
    const { size } = window;
    const steps = [0, 1, 1, 9, 8, 7, 7, size, size - 1, size - 1, size - 2, 2, 2, size + 16, 3, size + 16, size * 4];
    const model = new NaiveWindow(size);
    expect(steps.map((step) => window.accept(step))).toEqual(steps.map((step) => model.accept(step)));
  });

  test("after a jump far beyond the window knows nothing of before and everything since", () => {
    const window = new ReplayWindow(128);
    for (let i = 0; i < 128; i++) window.accept(i);
    const far = 1_000_000;
    expect(window.accept(far)).toBe(true);
    for (let i = far - window.size + 1; i < far; i++) expect(window.accept(i)).toBe(true);
    for (let i = far - window.size + 1; i <= far; i++) expect(window.accept(i)).toBe(false);
  });

  test("a refusal changes nothing", () => {
    const window = new ReplayWindow(64);
    window.accept(500);
    window.accept(3);
    expect(window.largest).toBe(500);
    expect(window.accept(499)).toBe(true);
  });
});
