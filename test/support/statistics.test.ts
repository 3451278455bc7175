import { describe, expect, test } from "bun:test";
import { jainIndex, median, quantile, spreadOf, sum } from "./statistics.ts";

describe("statistics", () => {
  test("quantiles lie between neighbours, in any order of the values", () => {
    expect(quantile([4, 1, 3, 2], 0)).toBe(1);
    expect(quantile([4, 1, 3, 2], 1)).toBe(4);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 0.25)).toBe(15);
    expect(quantile([10, 20, 30], 0.95)).toBeCloseTo(29, 9);
  });

  test("one value is its own quartile, and nothing has none", () => {
    expect(spreadOf([7])).toEqual({ low: 7, median: 7, high: 7 });
    expect(median([])).toBeNaN();
  });

  test("Jain's index is 1 for equal shares and 1/n when one has all", () => {
    expect(jainIndex([3, 3, 3])).toBe(1);
    expect(jainIndex([5, 0, 0, 0])).toBe(0.25);
    expect(sum([1, 2, 3])).toBe(6);
  });
});
