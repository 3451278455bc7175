// @hot
/** Which path suits a flow that sends little and wants it soon: early, steady, and without loss, since what is lost costs it a round trip. */
import type { Micros } from "../clock.ts";
import type { PathView } from "./scheduler.ts";

/** Paths whose costs differ by less are alike. */
const ALIKE: Micros = 2_000;
/** How many deviations later than the mean a packet should be expected. */
const DEVIATIONS = 2;
/** What the loss of a packet costs: being noticed, and the way again. */
const LOSS_COST: Micros = 200_000;

/** When a packet sent now is to be expected, µs, comparable between paths. */
export function sparseCost(path: PathView): Micros {
  return path.arrival + DEVIATIONS * path.jitter + path.randomLoss * LOSS_COST;
}

/** True unless another path of the same metric is clearly better. */
export function isBestForSparse(path: PathView, paths: readonly PathView[]): boolean {
  const cost = path.isMeasured ? sparseCost(path) : Number.POSITIVE_INFINITY;
  for (let i = 0; i < paths.length; i++) {
    const other = paths[i] as PathView;
    if (other === path || !other.isUp || other.metric !== path.metric || !other.isMeasured) continue;
    if (sparseCost(other) + ALIKE < cost) return false;
  }
  return true;
}
