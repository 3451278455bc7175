/** Tells the gate for acknowledgements when a flow has more to send than the paths can use, and the queue what the gate measures of its flow. */
import { MICROS_PER_SECOND, type Micros } from "../../clock.ts";
import type { FlowQueues } from "../../queue/flow-queues.ts";
import type { TunnelEstimate } from "../tunnel-estimate.ts";

export class FlowSaturation {
  readonly #queues: FlowQueues | undefined;
  readonly #estimate: Readonly<TunnelEstimate>;

  constructor(queues: FlowQueues | undefined, estimate: Readonly<TunnelEstimate>) {
    this.#queues = queues;
    this.#estimate = estimate;
  }

  /** True if delays differ so much that senders leave slow start too early. */
  get needsAckGate(): boolean {
    return this.#estimate.needsAckGate;
  }

  /**
   * True if the flow's backlog, or its bytes in flight, exceed what the paths can use.
   * @param flight bytes in flight, as its sender counts them
   */
  isSaturated(bucket: number, flight: number): boolean {
    const queues = this.#queues;
    const { possibleRate, usefulWait, isGrowing, rtt } = this.#estimate;
    if (!queues || possibleRate === 0) return false;
    if (queues.isCrowding(bucket)) return true;
    if ((queues.waiting(bucket) * MICROS_PER_SECOND) / possibleRate > usefulWait) return true;
    // A window that doubles in every round is ahead of rates that are still being found.
    if (isGrowing) return false;
    const held = usefulWait + Math.max(rtt, queues.rttOf(bucket));
    return (flight * MICROS_PER_SECOND) / possibleRate > held;
  }

  /** Notes that a packet of the flow was acknowledged by its host `length` after it joined the queue. */
  onRound(bucket: number, length: Micros): void {
    this.#queues?.learnRound(bucket, length);
  }
}
