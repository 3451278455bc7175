import { describe, expect, test } from "bun:test";
import { RateMeter } from "../../src/path/rate-meter.ts";

const SECOND = 1_000_000;

/** Adds `amount` every `step` µs from `from` to `to`. */
function feed(meter: RateMeter, from: number, to: number, step: number, amount: number): void {
  for (let now = from; now < to; now += step) meter.add(now, amount);
}

describe("RateMeter", () => {
  test.each([1_000, 7_000, 45_000])("reads a steady rate, added every %d us", (step) => {
    const meter = new RateMeter();
    feed(meter, 0, 10 * SECOND, step, 5 * step);
    expect(meter.read(10 * SECOND) / (5 * SECOND)).toBeWithin(0.93, 1.07);
  });

  test("follows a change within about a second", () => {
    const meter = new RateMeter();
    feed(meter, 0, 5 * SECOND, 10_000, 100);
    feed(meter, 5 * SECOND, 6 * SECOND, 10_000, 1_000);
    expect(meter.read(6 * SECOND)).toBeWithin(80_000, 95_000);
    feed(meter, 6 * SECOND, 9 * SECOND, 10_000, 1_000);
    expect(meter.read(9 * SECOND)).toBeWithin(97_500, 101_000);
  });

  test("fades to nothing when nothing comes", () => {
    const meter = new RateMeter();
    feed(meter, 0, 5 * SECOND, 10_000, 100);
    expect(meter.read(6 * SECOND)).toBeLessThan(2_000);
    expect(meter.read(20 * SECOND)).toBeLessThan(1);
  });

  test("reads zero before anything came, and is finite whatever the clock shows", () => {
    const meter = new RateMeter();
    expect(meter.read(0)).toBe(0);
    meter.add(2 ** 52, 1_000);
    expect(Number.isFinite(meter.read(2 ** 52 + 100_000))).toBe(true);
  });
});
