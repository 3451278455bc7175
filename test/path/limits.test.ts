import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { NO_LIMITS, PathLimits } from "../../src/path/limits.ts";

const SECOND = 1_000_000;
const HEADERS = 28;
const DATAGRAM = 1_472;

/** Sends whenever it may, looking every `step` µs; IP bytes by time. */
function sendAll(limits: PathLimits, until: number, step: number): { at: number; bytes: number }[] {
  const sent: { at: number; bytes: number }[] = [];
  for (let now = 1_000; now < until; now += step) {
    while (limits.allows(now)) {
      limits.spend(DATAGRAM);
      sent.push({ at: now, bytes: DATAGRAM + HEADERS });
    }
  }
  return sent;
}

describe("PathLimits", () => {
  test("is never exceeded over any second by more than a burst, and is used to the full", () => {
    for (const rate of [8_000, 625_000, 12_500_000]) {
      const limits = new PathLimits({ ...NO_LIMITS, out: rate }, HEADERS, DATAGRAM);
      const sent = sendAll(limits, 4 * SECOND, 700);
      const burst = Math.max(2 * (DATAGRAM + HEADERS), rate * 0.002) + DATAGRAM + HEADERS;
      for (const { at } of sent) {
        const inSecond = sent
          .filter((one) => one.at >= at && one.at < at + SECOND)
          .reduce((sum, one) => sum + one.bytes, 0);
        if (at < 3 * SECOND) expect(inSecond).toBeWithin(0.8 * rate, rate + burst);
        if (rate > 1e6 && at > 20_000) break;
      }
    }
  });

  test("counts what is sent without asking, and pays it back", () => {
    const limits = new PathLimits({ ...NO_LIMITS, out: 1e6 }, HEADERS, DATAGRAM);
    limits.allows(0);
    for (let i = 0; i < 100; i++) limits.spend(DATAGRAM);
    expect(limits.allows(100_000)).toBe(false);
    const at = limits.readyAt(100_000);
    expect(at).toBeWithin(147_000, 147_002);
    expect(limits.allows(at)).toBe(true);
  });

  test("holds nothing back without a limit", () => {
    const limits = new PathLimits(NO_LIMITS, HEADERS, DATAGRAM);
    limits.spend(1e9);
    expect([limits.allows(0), limits.readyAt(7), limits.rateFor(DATAGRAM)]).toEqual([true, 7, NEVER]);
  });

  test("obeys the stricter of both ends' limits", () => {
    const limits = new PathLimits({ isMetered: false, out: 1e6, in: NEVER }, HEADERS, DATAGRAM);
    limits.setPeer(true, NEVER);
    expect([limits.isMetered, limits.rate]).toEqual([true, 1e6]);
    limits.setPeer(false, 5e5);
    expect([limits.isMetered, limits.rate]).toEqual([false, 5e5]);
    expect(limits.rateFor(DATAGRAM)).toBeCloseTo((5e5 * 1472) / 1500);
    const metered = new PathLimits({ ...NO_LIMITS, isMetered: true }, HEADERS, DATAGRAM);
    metered.setPeer(false, NEVER);
    expect(metered.isMetered).toBe(true);
  });

  test("sends the peer its limits until they are acknowledged, and none when there are none", () => {
    expect(new PathLimits({ ...NO_LIMITS, out: 1e6 }, HEADERS, DATAGRAM).areDue(0, () => false)).toBe(false);
    const limits = new PathLimits({ ...NO_LIMITS, in: 1e6 }, HEADERS, DATAGRAM);
    expect(limits.areDue(0, () => false)).toBe(true);
    limits.onSent(0, 7);
    expect(limits.areDue(100_000, () => false)).toBe(false);
    expect(limits.areDue(250_000, () => false)).toBe(true);
    limits.onSent(250_000, 9);
    expect(limits.areDue(600_000, (number) => number === 9)).toBe(false);
    expect(limits.areDue(SECOND, () => false)).toBe(false);
  });
});
