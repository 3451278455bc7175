import { describe, expect, test } from "bun:test";
import { ReorderWindow } from "../../src/path/reorder-window.ts";
import { seeded } from "../support/seed.ts";

const RTT = 40_000;
const JITTER = 50_000;

describe("ReorderWindow", () => {
  test("is none on a path that keeps order, and a gap is a loss at once", () => {
    const reorder = new ReorderWindow();
    reorder.onAcked(10_000);
    expect(reorder.window(0)).toBe(0);
    expect(reorder.distance).toBe(1);
  });

  test("begins with a quarter of the round trip, and never goes beyond what it has seen", () => {
    const reorder = new ReorderWindow();
    reorder.onSpurious(0, 1, 200_000, RTT, JITTER);
    expect(reorder.window(0)).toBe(RTT / 4);
    const small = new ReorderWindow();
    for (let i = 0; i < 100; i++) small.onSpurious(i, 1, 4_000, RTT, JITTER);
    expect(small.window(100)).toBe(6_000);
    expect(small.distance).toBe(3);
  });

  test(
    "lets about one datagram in 400 come too late, whatever the spread of delays",
    seeded((random) => {
      for (const deviation of [3_000, 30_000]) {
        const reorder = new ReorderWindow();
        let late = 0;
        reorder.onSpurious(0, 1, RTT, RTT, deviation);
        for (let i = 0; i < 60_000; i++) {
          const overtaken = Math.abs(deviation * random.normal());
          if (overtaken > reorder.window(0)) {
            reorder.onSpurious(0, 1, overtaken, RTT, deviation);
            if (i >= 40_000) late++;
          } else reorder.onAcked(1);
        }
        expect(late / 20_000).toBeGreaterThan(0.001);
        expect(late / 20_000).toBeLessThan(0.005);
      }
    }),
  );

  test("stays within what jitter can do: what comes later was held up on its way to be told of", () => {
    const reorder = new ReorderWindow();
    for (let i = 0; i < 100; i++) reorder.onSpurious(i, 1, 250_000, RTT, 5_000);
    expect(reorder.window(100)).toBe(30_000);
  });

  test("is forgotten when datagrams keep their order again", () => {
    const reorder = new ReorderWindow();
    reorder.onSpurious(0, 1, 50_000, RTT, JITTER);
    for (let i = 0; i < 10_000; i++) reorder.onAcked(1);
    expect(reorder.window(1)).toBe(0);
  });
});
