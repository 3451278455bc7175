/** Which flows count as sparse, and which waiting is useful: both follow from the paths, which the queue does not know. */
import type { Micros } from "../clock.ts";

export interface FlowLimits {
  /** How much later the slowest path in use delivers than the fastest, and what the far end holds for retransmissions: waiting so long is useful. */
  readonly spread: Micros;
  /** Bytes per second and bytes at once that a sparse flow may send. */
  readonly sparseRate: number;
  readonly sparseBurst: number;
  /** Bytes per second that a flow may send whose packets are urgent by their kind. */
  readonly promptRate: number;
}

/** For a queue whose paths are not known. */
export const DEFAULT_FLOW_LIMITS: FlowLimits = {
  spread: 0,
  sparseRate: 125_000,
  sparseBurst: 64_000,
  promptRate: 250_000,
};
