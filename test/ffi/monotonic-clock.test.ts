import { describe, expect, test } from "bun:test";
import { layout } from "../../ffi/layout.ts";
import { monotonicMicros, readClock, SleepAwareClock } from "../../ffi/monotonic-clock.ts";
import { MICROS_PER_SECOND } from "../../src/clock.ts";

/** A clock whose two sources the test moves. */
function clockAt(sinceStart: number, sinceBoot: number) {
  const at = { sinceStart, sinceBoot };
  const clock = new SleepAwareClock(
    () => at.sinceStart,
    () => at.sinceBoot,
  );
  return { at, clock };
}

describe("SleepAwareClock", () => {
  test("counts from the start of the system, not of the thread", () => {
    const { at, clock } = clockAt(1_000, 5_000_000);
    at.sinceStart += 70;
    expect(clock.now()).toBe(5_000_070);
  });

  test("counts an hour of sleep, which the cheap clock leaves out", () => {
    const { at, clock } = clockAt(0, 0);
    const hour = 3_600 * MICROS_PER_SECOND;
    at.sinceStart = MICROS_PER_SECOND;
    at.sinceBoot = MICROS_PER_SECOND + hour;
    expect(clock.now()).toBe(MICROS_PER_SECOND + hour);
  });

  test("does not take the time between two readings for sleep", () => {
    const { at, clock } = clockAt(0, 0);
    at.sinceStart = MICROS_PER_SECOND;
    at.sinceBoot = MICROS_PER_SECOND + 9_000;
    expect(clock.now()).toBe(MICROS_PER_SECOND);
  });

  test("does not take a thread that lost the core between two readings for a system that slept", () => {
    const at = { sinceStart: 0, sinceBoot: 0, lost: 0 };
    const clock = new SleepAwareClock(
      () => at.sinceStart,
      () => {
        at.sinceStart += at.lost;
        at.sinceBoot += at.lost;
        return at.sinceBoot;
      },
    );
    at.sinceStart = MICROS_PER_SECOND;
    at.sinceBoot = MICROS_PER_SECOND;
    at.lost = 250_000;
    clock.now();
    at.lost = 0;
    at.sinceStart = 3 * MICROS_PER_SECOND;
    at.sinceBoot = 3 * MICROS_PER_SECOND;
    expect(clock.now()).toBe(3 * MICROS_PER_SECOND);
  });

  test("never goes back", () => {
    const { at, clock } = clockAt(0, 10_000);
    at.sinceStart = MICROS_PER_SECOND;
    at.sinceBoot = MICROS_PER_SECOND;
    expect(clock.now()).toBe(MICROS_PER_SECOND + 10_000);
  });
});

describe("monotonicMicros", () => {
  test("lies between two readings of the system's clock, in whole microseconds", () => {
    monotonicMicros();
    const before = readClock(layout.CLOCK_BOOTTIME);
    const now = monotonicMicros();
    const after = readClock(layout.CLOCK_BOOTTIME);
    expect(Number.isInteger(now)).toBe(true);
    // The offset was measured with two readings, between which at most what counts as sleep can have passed.
    const error = 100_000;
    expect(now).toBeGreaterThan(before - error);
    expect(now).toBeLessThan(after + error);
  });
});
