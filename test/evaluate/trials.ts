/** Picking trials out of results. */

import { type Spread, spreadOf } from "../support/statistics.ts";
import type { Carrier, Way } from "./experiment.ts";
import type { CaseResult, Trial } from "./results.ts";

export interface Wanted {
  readonly carrier?: Carrier;
  readonly way?: Way;
  readonly label?: string;
}

export function trialsOf(result: CaseResult | undefined, { carrier, way, label }: Wanted): readonly Trial[] {
  return (result?.trials ?? []).filter(
    (trial) =>
      (carrier === undefined || trial.carrier === carrier) &&
      (way === undefined || trial.way === way) &&
      (label === undefined || trial.label === label),
  );
}

/** Returns the median and quartiles of a figure over the trials wanted; NaN when there is none. */
export function figure(result: CaseResult | undefined, wanted: Wanted, name: string): Spread {
  return spreadOf(trialsOf(result, wanted).flatMap((trial) => trial.figures[name] ?? []));
}

/** Returns `median (low–high)`; a dash when nothing was measured; without quartiles when they are the median. */
export function showSpread({ low, median, high }: Spread, digits = 1): string {
  if (Number.isNaN(median)) return "–";
  const [a, b, c] = [low, median, high].map((value) => value.toFixed(digits));
  return a === c ? (b ?? "") : `${b} (${a}–${c})`;
}

export function show(value: number, digits = 1): string {
  return Number.isNaN(value) ? "–" : value.toFixed(digits);
}

export function showPercent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(0)} %`;
}
