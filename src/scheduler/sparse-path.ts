// @hot
/** Chooses the path for sparse flows: early, steady and without loss, since a retransmission costs them a round-trip time. */
import type { Micros } from "../clock.ts";
import type { PathView } from "./scheduler.ts";

/** Difference of costs below which paths count as equal, µs. */
const ALIKE: Micros = 2_000;
/** Number of deviations above the mean at which a packet is expected. */
const DEVIATIONS = 2;
/** Extra delay of a lost packet: detection plus retransmission, µs. */
const LOSS_COST: Micros = 200_000;

/** Returns the delay to expect of a packet sent now, µs, comparable between paths. */
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
