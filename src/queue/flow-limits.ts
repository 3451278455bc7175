/** The limits between sparse and bulk flows and between useful and useless waiting. Both follow from the paths, which the queue does not know. */
import type { Micros } from "../clock.ts";

export interface FlowLimits {
  /** Wait that is useful, µs: the difference of the delays of the slowest path in use and the fastest, and the wait for retransmissions at the far end. */
  readonly spread: Micros;
  /** Rate and burst up to which a flow is sparse, bytes per second and bytes. */
  readonly sparseRate: number;
  readonly sparseBurst: number;
  /** The same rate for a flow whose packets are urgent by their kind, bytes per second. */
  readonly promptRate: number;
}

/** Limits for a queue whose paths are not known. */
export const DEFAULT_FLOW_LIMITS: FlowLimits = {
  spread: 0,
  sparseRate: 125_000,
  sparseBurst: 64_000,
  promptRate: 250_000,
};
