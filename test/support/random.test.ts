import { describe, expect, test } from "bun:test";
import { SeededRandom } from "./random.ts";

const draw = <T>(seed: number, n: number, take: (random: SeededRandom) => T): T[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: n }, () => take(random));
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("SeededRandom", () => {
  test("gives the same from the same seed, and other things from another", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => draw(seed, 100, (random) => random.uint32()));
    expect(a).toEqual(b as number[]);
    expect(a).not.toEqual(c as number[]);
  });

  test("counts the low 32 bits of a seed, and works with zero", () => {
    expect(draw(2 ** 32 + 7, 5, (random) => random.uint32())).toEqual(draw(7, 5, (random) => random.uint32()));
    expect(new Set(draw(0, 50, (random) => random.uint32())).size).toBe(50);
  });

  test("draws integers of 32 bits with every bit set half of the time", () => {
    const values = draw(3, 20_000, (random) => random.uint32());
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    for (let bit = 0; bit < 32; bit++) {
      const share = mean(values.map((value) => (value >>> bit) & 1));
      expect(Math.abs(share - 0.5)).toBeLessThan(0.02);
    }
  });

  test("draws from the unit interval with mean 1/2 and variance 1/12", () => {
    const values = draw(4, 20_000, (random) => random.unit());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean(values)).toBeCloseTo(0.5, 1);
    expect(mean(values.map((value) => (value - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
  });

  test("draws below a bound, each value about as often", () => {
    const counts = new Array<number>(7).fill(0);
    for (const value of draw(5, 14_000, (random) => random.below(7))) counts[value] = (counts[value] ?? 0) + 1;
    expect(counts).toHaveLength(7);
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200);
    expect(draw(5, 100, (random) => random.below(1))).toEqual(new Array(100).fill(0));
  });

  test("is right with the given chance, never with none and always with certainty", () => {
    const share = mean(draw(6, 20_000, (random) => Number(random.chance(0.1))));
    expect(Math.abs(share - 0.1)).toBeLessThan(0.01);
    expect(draw(6, 1_000, (random) => random.chance(0))).not.toContain(true);
    expect(draw(6, 1_000, (random) => random.chance(1))).not.toContain(false);
  });

  test("draws from a normal distribution: mean 0, deviation 1, tails of the right size", () => {
    const values = draw(7, 20_000, (random) => random.normal());
    expect(Math.abs(mean(values))).toBeLessThan(0.03);
    expect(Math.abs(mean(values.map((value) => value * value)) - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean(values.map((value) => Number(Math.abs(value) < 1))) - 0.6827)).toBeLessThan(0.02);
  });

  test("fills bytes without its object at hand", () => {
    const { bytes } = new SeededRandom(8);
    const out = new Uint8Array(10_000);
    bytes(out);
    expect(Math.abs(mean([...out]) - 127.5)).toBeLessThan(3);
    expect(new Set(out).size).toBe(256);
  });
});
