import { describe, expect, test } from "bun:test";
import { Codel } from "../../src/queue/codel.ts";

const TARGET = 15_000;
const INTERVAL = 100_000;

/** Times of the signals while the excess is what `excess` says, one packet a millisecond. */
function signals(codel: Codel, from: number, until: number, excess: (now: number) => number, echo = 0): number[] {
  const times: number[] = [];
  for (let now = from; now < until; now += 1_000) {
    if (codel.judge(now, excess(now), TARGET, INTERVAL, echo)) times.push(now);
  }
  return times;
}

describe("Codel", () => {
  test("says nothing while less than the target stands, nor of what stands for less than an interval", () => {
    expect(signals(new Codel(), 0, 2_000_000, () => TARGET - 1)).toEqual([]);
    // Up for 99 ms, down for one packet, again and again.
    expect(signals(new Codel(), 0, 2_000_000, (now) => (now % 100_000 === 0 ? 0 : 60_000))).toEqual([]);
  });

  test("speaks first after an interval, then more often with the root of the count", () => {
    const times = signals(new Codel(), 0, 500_000, () => 60_000);
    expect(times.slice(0, 4)).toEqual([100_000, 200_000, 271_000, 329_000]);
  });

  test("leaves a sender the time to show that it was told", () => {
    const times = signals(new Codel(), 0, 1_500_000, () => 60_000, 400_000);
    expect(times).toEqual([100_000, 500_000, 900_000, 1_300_000]);
  });

  test("resumes at nearly its former rate after a short rest, but not before another interval", () => {
    const codel = new Codel();
    const first = signals(codel, 0, 2_000_000, () => 60_000).length;
    expect(first).toBeGreaterThan(50);
    signals(codel, 2_000_000, 2_050_000, () => 0);
    const again = signals(codel, 2_050_000, 2_350_000, () => 60_000);
    expect(again[0]).toBe(2_150_000);
    expect(again.length).toBeGreaterThan(10);
  });

  test("begins anew for another flow", () => {
    const codel = new Codel();
    signals(codel, 0, 2_000_000, () => 60_000);
    codel.open();
    expect(signals(codel, 2_000_000, 2_250_000, () => 60_000)).toEqual([2_100_000, 2_200_000]);
  });
});
