import { describe, expect, test } from "bun:test";
import { OneWayDelay } from "../../src/path/one-way-delay.ts";
import { SeededRandom } from "../support/random.ts";

describe("OneWayDelay", () => {
  test("takes its first sample as it is", () => {
    const delay = new OneWayDelay();
    delay.update(0, 20_000);
    expect([delay.isMeasured, delay.smoothed, delay.jitter]).toEqual([true, 20_000, 0]);
  });

  test("smooths what is jitter, and learns how much there is", () => {
    const delay = new OneWayDelay();
    const random = new SeededRandom(1);
    for (let i = 0; i < 2_000; i++) delay.update(i * 5_000, 50_000 + 5_000 * random.normal());
    expect(delay.jitter).toBeWithin(3_500, 7_000);
    expect(delay.smoothed).toBeWithin(44_000, 56_000);
  });

  test("follows a queue within a few samples where there is no jitter", () => {
    const delay = new OneWayDelay();
    for (let i = 0; i < 20; i++) delay.update(i * 5_000, 50_000);
    for (let i = 20; i < 25; i++) delay.update(i * 5_000, 100_000);
    expect(delay.smoothed).toBeGreaterThan(80_000);
  });

  test("believes a sample after a pause alone: the queue of before has drained", () => {
    const delay = new OneWayDelay();
    for (let i = 0; i < 20; i++) delay.update(i * 5_000, 300_000);
    delay.update(1_000_000, 50_000);
    expect(delay.smoothed).toBe(50_000);
  });
});
