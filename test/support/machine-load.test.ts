import { describe, expect, test } from "bun:test";
import { describeLoad, isInconclusive, LoadMeter, loadBetween } from "./machine-load.ts";

const NOTHING = { at: 0, computed: 0, own: 0, stolen: 0, waited: 0 };

/** Returns ten seconds of two processors, of which the machine computed so many seconds, and our own processes so many of them. */
function tenSeconds(computed: number, own: number, more: { stolen?: number; waited?: number | undefined } = {}) {
  const to = { at: 10_000, computed: 100 * computed, own: 100 * own, stolen: 0, waited: 9e6, ...more };
  return loadBetween(NOTHING, to, 2);
}

describe("the load of the machine", () => {
  test("is what others compute, not what the program and its tests compute", () => {
    expect(tenSeconds(18, 3).others).toBeCloseTo(0.75);
    expect(tenSeconds(18, 18).others).toBe(0);
  });

  test("makes figures inconclusive when others take the processors and tasks wait for them", () => {
    expect(isInconclusive(tenSeconds(18, 3))).toBe(true);
    expect(isInconclusive(tenSeconds(18, 3, { waited: undefined }))).toBe(true);
  });

  test("leaves figures conclusive while the program alone makes tasks wait: a program that computes too much fails", () => {
    expect(isInconclusive(tenSeconds(20, 19.8))).toBe(false);
  });

  test("leaves figures conclusive beside work that delays nobody", () => {
    expect(isInconclusive(tenSeconds(5, 2, { waited: 0.1e6 }))).toBe(false);
    expect(isInconclusive(tenSeconds(3, 2))).toBe(false);
  });

  test("makes figures inconclusive when a hypervisor takes time away", () => {
    expect(isInconclusive(tenSeconds(3, 2.9, { stolen: 100 }))).toBe(true);
  });

  test.skipIf(process.platform !== "linux")("is read from the kernel: what a child computes is ours", async () => {
    const meter = new LoadMeter();
    const loop = "for (const end = performance.now() + 300; performance.now() < end; );";
    const child = Bun.spawn([process.execPath, "-e", loop]);
    await child.exited;
    const { seconds, others } = meter.read();
    expect(seconds).toBeGreaterThan(0.3);
    expect(others).toBeWithin(0, 1.2);
    expect(describeLoad(meter.read())).toMatch(
      /^others took \d+ % of the processors for \d+\.\d s, a hypervisor \d+ %/,
    );
  });
});
