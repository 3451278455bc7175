import { describe, expect, test } from "bun:test";
import type { PathView } from "../../src/scheduler/scheduler.ts";
import { isBestForSparse } from "../../src/scheduler/sparse-path.ts";

function pathView(more: Partial<PathView>): PathView {
  const base = {
    id: 0,
    metric: 0,
    isUp: true,
    isMeasured: true,
    arrival: 10_000,
    jitter: 0,
    estimate: 1e6,
  };
  return { ...base, randomLoss: 0, ...more };
}

/** Which of the paths may carry sparse flows. */
function best(...paths: readonly Partial<PathView>[]): boolean[] {
  const views = paths.map((path, id) => pathView({ id, ...path }));
  return views.map((view) => isBestForSparse(view, views));
}

describe("isBestForSparse", () => {
  test("takes the earliest, and those hardly later", () => {
    expect(best({ arrival: 10_000 }, { arrival: 11_500 }, { arrival: 13_000 })).toEqual([true, true, false]);
  });

  test("counts what varies and what loses as later", () => {
    expect(best({ arrival: 10_000, jitter: 5_000 }, { arrival: 15_000 })).toEqual([false, true]);
    expect(best({ arrival: 10_000, randomLoss: 0.1 }, { arrival: 20_000 })).toEqual([false, true]);
    expect(best({ arrival: 10_000, randomLoss: 0.01 }, { arrival: 20_000 })).toEqual([true, false]);
  });

  test("looks past paths that are down, held in reserve, or not measured", () => {
    const others = [{ isUp: false }, { metric: 5 }, { isMeasured: false }];
    for (const other of others) expect(best({ arrival: 50_000 }, other)[0]).toBe(true);
    expect(best({ isMeasured: false }, {})).toEqual([false, true]);
    expect(best({ isMeasured: false })).toEqual([true]);
  });
});
