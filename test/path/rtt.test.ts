import { describe, expect, test } from "bun:test";
import { Rtt } from "../../src/path/rtt.ts";

function rttOf(...samples: readonly number[]): Rtt {
  const rtt = new Rtt();
  for (const sample of samples) rtt.update(0, sample, 0);
  return rtt;
}

describe("Rtt", () => {
  test("guesses before the first sample and says that nothing is measured", () => {
    expect([rttOf().smoothed, rttOf().measured]).toEqual([200_000, 0]);
  });

  test("takes the first sample whole, with half of it for deviation (RFC 6298 section 2.2)", () => {
    expect(rttOf(80_000)).toMatchObject({ measured: 80_000, deviation: 40_000, min: 80_000, latest: 80_000 });
  });

  test("moves an eighth towards each sample, the deviation a quarter, in the order of RFC 6298 section 2.3", () => {
    const rtt = rttOf(80_000, 160_000);
    expect([rtt.measured, rtt.deviation]).toEqual([90_000, 50_000]);
    rtt.update(0, 10_000, 0);
    expect([rtt.measured, rtt.deviation, rtt.min, rtt.latest]).toEqual([80_000, 57_500, 10_000, 10_000]);
  });

  test("settles on a steady path", () => {
    const rtt = rttOf(300_000, ...new Array<number>(100).fill(50_000));
    expect(rtt.smoothed).toBeWithin(50_000, 50_100);
    expect(rtt.deviation).toBeLessThan(200);
  });

  test("takes what cannot be for the shortest time there is", () => {
    expect(rttOf(0).measured).toBe(1);
    expect(rttOf(-5_000).latest).toBe(1);
    expect(rttOf(100, -1_000_000).measured).toBeGreaterThan(0);
  });

  test("takes what is longer than any queue for ten seconds", () => {
    expect([rttOf(3_600_000_000).measured, rttOf(10_000, 40_000_000).latest]).toEqual([10_000_000, 10_000_000]);
  });

  test("subtracts what the peer says that it waited, down to the smallest time there was (RFC 9002 section 5.3)", () => {
    const rtt = rttOf(33_000);
    rtt.update(0, 40_000, 5_000);
    expect([rtt.latest, rtt.min]).toEqual([35_000, 33_000]);
    // A receiver that was preempted before it read the clock says that it waited for all of the round trip.
    rtt.update(0, 40_000, 39_500);
    expect([rtt.latest, rtt.min]).toEqual([33_000, 33_000]);
  });

  test("forgets the smallest time after some minutes, as routes change", () => {
    const rtt = rttOf(10_000);
    for (let second = 0; second <= 300; second++) rtt.update(second * 1_000_000, 60_000, 0);
    expect(rtt.min).toBe(60_000);
  });
});
