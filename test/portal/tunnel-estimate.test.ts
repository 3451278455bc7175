import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { Path } from "../../src/path/path.ts";
import { PathTable } from "../../src/portal/path-table.ts";
import { isLossy, TunnelEstimate } from "../../src/portal/tunnel-estimate.ts";

const MS = 1_000;

interface View {
  readonly arrival?: number;
  readonly rtt?: number;
  readonly rate?: number;
  readonly jitter?: number;
  readonly randomLoss?: number;
  readonly metric?: number;
  readonly isUp?: boolean;
  readonly isSettled?: boolean;
  /** Delay above the base delay. */
  readonly queue?: number;
}

/** As much of a path as the estimate reads, without deviation of its round-trip time. */
function path(id: number, view: View): Path {
  const { arrival = 10 * MS, rtt = 20 * MS, jitter = 0, isSettled = true, queue = 0 } = view;
  return {
    id,
    isUp: view.isUp ?? true,
    isMeasured: true,
    metric: view.metric ?? 0,
    arrival,
    jitter,
    estimate: view.rate ?? 1e6,
    randomLoss: view.randomLoss ?? 0,
    rtt: { smoothed: rtt, deviation: 0 },
    delay: { base: arrival - queue },
    controller: { isSettled },
    recovery: { reorder: { window: () => 0 } },
  } as unknown as Path;
}

function estimateOf(...views: readonly View[]): TunnelEstimate {
  const paths = new PathTable((bytes) => void bytes.fill(1));
  for (const [id, view] of views.entries()) paths.add(path(id, view));
  paths.updateActiveMetric();
  const estimate = new TunnelEstimate(paths);
  estimate.update(MICROS_PER_SECOND);
  return estimate;
}

describe("TunnelEstimate", () => {
  test("adds the rates of the paths that carry packets, and of no others", () => {
    const reserve = { rate: 8e6, metric: 5 };
    const down = { rate: 4e6, isUp: false };
    expect(estimateOf({ rate: 1e6 }, { rate: 2e6 }, reserve, down).rate).toBe(3e6);
  });

  test("takes the round-trip time of the path that delivers first", () => {
    expect(estimateOf({ arrival: 30 * MS, rtt: 60 * MS }, { arrival: 5 * MS, rtt: 9 * MS }).rtt).toBe(9 * MS);
  });

  test("lets packets wait as long as the slowest path in use is behind, and for jitter three deviations", () => {
    expect(estimateOf({ arrival: 10 * MS }, { arrival: 50 * MS }).spread).toBe(40 * MS);
    expect(estimateOf({ arrival: 10 * MS }, { arrival: 10 * MS, jitter: 5 * MS }).spread).toBe(15 * MS);
  });

  test("waits for no path that carries next to nothing", () => {
    const estimate = estimateOf({ rate: 10e6 }, { rate: 1e5, arrival: 300 * MS });
    expect(estimate.spread).toBe(0);
    expect(estimate.rate).toBe(10.1e6);
  });

  test("adds a round trip to the useful wait where losses are retransmitted", () => {
    expect(estimateOf({ randomLoss: 0.01, rtt: 30 * MS }).spread).toBe(30 * MS);
    expect(estimateOf({ randomLoss: 0.0001, rtt: 30 * MS }).spread).toBe(0);
  });

  test("makes retransmissions worth five round trips within bounds, beside the time to detect a loss", () => {
    for (const [rtt, lifetime] of [
      [2 * MS, 80 * MS],
      [40 * MS, 200 * MS],
      [600 * MS, 400 * MS],
    ] as const) {
      const estimate = estimateOf({ rtt });
      expect(estimate.retransmissionLifetime).toBe(lifetime + rtt);
      expect(estimate.hold).toBe(lifetime + 10 * MS);
      expect(estimate.reinjectionLifetime).toBe(rtt);
    }
  });

  test("never asks the peer to hold packets longer than half a second", () => {
    expect(estimateOf({ rtt: 600 * MS }, { arrival: 900 * MS, rtt: 1_800 * MS }).hold).toBe(500 * MS);
  });

  test("lets sparse flows send a share of the rate, within bounds", () => {
    expect(estimateOf({ rate: 1e5 })).toMatchObject({ sparseRate: 16_000, promptRate: 64_000, sparseBurst: 10_000 });
    expect(estimateOf({ rate: 1.6e6 })).toMatchObject({ sparseRate: 1e5, promptRate: 4e5, sparseBurst: 64_000 });
    expect(estimateOf({ rate: 1e8 })).toMatchObject({ sparseRate: 250_000, sparseBurst: 64_000 });
  });

  test("expects more of a path whose rate is still being found, until it has a queue", () => {
    expect(estimateOf({ isSettled: false })).toMatchObject({ isGrowing: true, rate: 1e6, possibleRate: 3e6 });
    const queued = { isSettled: false, queue: 30 * MS };
    expect(estimateOf(queued)).toMatchObject({ isGrowing: false, possibleRate: 1e6 });
  });

  test("wants the gate for acknowledgements with several paths, or with jitter", () => {
    expect(estimateOf({}).needsAckGate).toBe(false);
    expect(estimateOf({}, {}).needsAckGate).toBe(true);
    expect(estimateOf({ jitter: 2 * MS }).needsAckGate).toBe(true);
  });

  test("keeps the last estimate while no path is up", () => {
    const paths = new PathTable((bytes) => void bytes.fill(1));
    const only = path(0, { rtt: 50 * MS });
    paths.add(only);
    paths.updateActiveMetric();
    const estimate = new TunnelEstimate(paths);
    estimate.update(0);
    paths.remove(only);
    paths.updateActiveMetric();
    estimate.update(MICROS_PER_SECOND);
    expect(estimate.rtt).toBe(50 * MS);
  });

  test("is made anew at most each 20 ms", () => {
    const paths = new PathTable((bytes) => void bytes.fill(1));
    paths.add(path(0, { rate: 1e6 }));
    paths.updateActiveMetric();
    const estimate = new TunnelEstimate(paths);
    estimate.update(0);
    paths.add(path(1, { rate: 1e6 }));
    estimate.update(19_999);
    expect(estimate.rate).toBe(1e6);
    estimate.update(20_000);
    expect(estimate.rate).toBe(2e6);
  });
});

test("a path is lossy from one loss in a thousand on", () => {
  expect([0.0005, 0.001, 0.002].map((randomLoss) => isLossy(path(0, { randomLoss })))).toEqual([false, false, true]);
});
