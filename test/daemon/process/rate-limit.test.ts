import { describe, expect, test } from "bun:test";
import { RateLimit } from "../../../src/daemon/process/rate-limit.ts";

describe("RateLimit", () => {
  test("lets a burst through, then one an interval, and tells how many it held back", () => {
    const limit = new RateLimit(2, 100);
    const passes = [0, 0, 0, 50, 99].map((now) => limit.check(now, "a").passes);
    expect(passes).toEqual([true, true, false, false, false]);
    expect(limit.check(100, "a")).toEqual({ passes: true, suppressed: 3 });
    expect(limit.check(101, "a")).toEqual({ passes: false, suppressed: 1 });
  });

  test("earns no more than the burst while it is quiet", () => {
    const limit = new RateLimit(2, 100);
    limit.check(0, "a");
    const passes = [0, 1, 2].map((n) => limit.check(1_000_000 + n, "a").passes);
    expect(passes).toEqual([true, true, false]);
  });

  test("counts each kind for itself", () => {
    const limit = new RateLimit(1, 100);
    expect(["a", "b", "a", "b"].map((key) => limit.check(0, key).passes)).toEqual([true, true, false, false]);
  });

  test("forgets the kind not seen for longest when there are too many", () => {
    const limit = new RateLimit(1, 100, 2);
    for (const key of ["a", "b", "a", "c"]) limit.check(0, key);
    expect(limit.check(0, "a").passes).toBe(false);
    expect(limit.check(0, "b").passes).toBe(true);
  });
});
