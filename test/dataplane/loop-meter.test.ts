import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { LoopMeter } from "../../src/dataplane/loop-meter.ts";

const MINUTE = 60_000_000;

describe("LoopMeter", () => {
  test("is empty at first", () => {
    const none = { count: 0, p999: 0, longest: 0 };
    expect(new LoopMeter().snapshot()).toEqual({ turn: none, lateness: none });
  });

  test("tells the longest turn, and the one that 99.9 % do not exceed within a quarter", () => {
    const meter = new LoopMeter();
    for (let i = 0; i < 10_000; i++) meter.turn(NEVER, 0, i < 9_980 ? 100 : 3_000);
    meter.turn(NEVER, 0, 90_000);
    const { turn, lateness } = meter.snapshot();
    expect(turn).toMatchObject({ count: 10_001, longest: 90_000 });
    expect(turn.p999).toBeWithin(3_000, 3_750);
    expect(lateness.count).toBe(0);
  });

  test.each([1, 3, 4, 5, 7, 8, 100, 1_000, 12_345, 1_000_000, 20_000_000])("places %d us right", (duration) => {
    const meter = new LoopMeter();
    for (let i = 0; i < 2_000; i++) meter.turn(NEVER, 0, duration);
    for (let i = 0; i < 2; i++) meter.turn(NEVER, 0, 30_000_000);
    expect(meter.snapshot().turn.p999).toBeWithin(duration, Math.ceil(1.25 * duration) + 2);
  });

  test("counts as late only what a timer was to begin", () => {
    const meter = new LoopMeter();
    meter.turn(1_000, 6_000, 6_100);
    meter.turn(NEVER, 7_000, 7_100);
    meter.turn(9_000, 8_000, 8_100);
    expect(meter.snapshot().lateness).toMatchObject({ count: 1, longest: 5_000 });
  });

  test("forgets what is older than two minutes, also when nothing happened meanwhile", () => {
    const meter = new LoopMeter();
    meter.turn(NEVER, 0, 90_000);
    meter.turn(NEVER, 1.1 * MINUTE, 1.1 * MINUTE + 10);
    expect(meter.snapshot().turn.longest).toBe(90_000);
    meter.turn(NEVER, 2.3 * MINUTE, 2.3 * MINUTE + 20);
    expect(meter.snapshot().turn.longest).toBe(20);
    meter.turn(NEVER, 99 * MINUTE, 99 * MINUTE + 5);
    expect(meter.snapshot().turn.longest).toBe(5);
  });
});
