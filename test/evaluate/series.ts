/** Series of tenths of a second: medians over runs, and when something was reached. */

import type { Point, SpreadPoint } from "../support/plot/panel.ts";
import { median, quantile } from "../support/statistics.ts";
import type { Trial } from "./results.ts";

export const TENTHS = 10;

/** Returns the median and quartiles over the trials at each tenth; the time is the middle of the tenth, in seconds. */
export function seriesSpread(trials: readonly Trial[], name: string): SpreadPoint[] {
  const all = trials.flatMap((trial) => trial.series?.[name] ?? []).length;
  if (all === 0) return [];
  const longest = Math.max(...trials.map((trial) => trial.series?.[name]?.length ?? 0));
  return Array.from({ length: longest }, (_, i) => {
    const values = trials.flatMap((trial) => trial.series?.[name]?.[i] ?? []);
    return [(i + 0.5) / TENTHS, median(values), quantile(values, 0.25), quantile(values, 0.75)] as const;
  });
}

export function medianLine(points: readonly SpreadPoint[]): Point[] {
  return points.map(([x, y]) => [x, y] as const);
}

/** A hole and the burst that follows it lie within this time, tenths. */
const WINDOW = 10;

/** Returns the seconds from `from` until the mean of the second that follows reaches `level`; NaN when it never does. */
export function timeUntil(series: readonly number[], from: number, level: number): number {
  for (let i = Math.round(from * TENTHS); i + WINDOW <= series.length; i++) {
    const mean = series.slice(i, i + WINDOW).reduce((total, value) => total + value, 0) / WINDOW;
    if (mean >= level) return i / TENTHS - from;
  }
  return Number.NaN;
}

/** Returns the largest value in each tenth of a second; what has none is left out as NaN of the one before. */
export function worstByTenth(points: readonly (readonly [at: number, value: number])[], seconds: number): number[] {
  const worst = new Array<number>(Math.round(seconds * TENTHS)).fill(Number.NaN);
  for (const [at, value] of points) {
    const i = Math.floor(at * TENTHS);
    if (i >= 0 && i < worst.length) worst[i] = Math.max(value, Number.isNaN(worst[i]) ? 0 : (worst[i] as number));
  }
  let last = 0;
  return worst.map((value) => {
    last = Number.isNaN(value) ? last : value;
    return last;
  });
}
