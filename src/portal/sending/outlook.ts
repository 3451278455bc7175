/**
 * What the paths together promise, looked at a few times a second: how far apart they deliver, how long early packets are worth holding at the far end,
 * and how long a lost packet is worth retransmitting.
 */
import { MICROS_PER_SECOND, type Micros } from "../../clock.ts";
import { overdueAfter } from "../../path/overdue.ts";
import type { Path } from "../../path/path.ts";
import type { FlowQueues } from "../../queue/flow-queues.ts";
import type { PortalContext } from "../context.ts";
import type { GateFlows } from "../receiving/ack-gate.ts";
import type { Outbound } from "./outbound.ts";
import { isLossy } from "./resend-policy.ts";

const INTERVAL: Micros = 20_000;
/** A flow that has this much more waiting than is useful fills the paths. */
const SATED: Micros = 30_000;
/** A path whose rate is still being found may carry so many times what is known of it. */
const GROWING = 3;
const SHORT_QUEUE: Micros = 8_000;
/** Jitter that disturbs a host's own search for the rate. */
const JITTERY: Micros = 1_000;
/** Repairing takes several tries of the best round trip, within these bounds. */
const PATIENCE_RTTS = 5;
const SHORTEST_PATIENCE: Micros = 80_000;
const LONGEST_PATIENCE: Micros = 400_000;
/** A path whose rate is not known yet needs a backlog to find it, for so many of its round trips. */
const SEARCH_RTTS = 2;
/** A host's own retransmission timer fires soon after this. */
const LONGEST_HOLD: Micros = 500_000;
/** A path this much smaller than all together is not waited for. */
const NEGLIGIBLE = 0.02;

/** What a sparse flow may send: so much of all paths together within bounds, bytes per second, and what they carry in so long at once. */
const LEAST_SPARSE = 16_000;
const MOST_SPARSE = 250_000;
const LEAST_PROMPT = 64_000;
const LEAST_BURST = 8_000;
const MOST_BURST = 64_000;
const BURST_TIME: Micros = 100_000;
/** Stands for a path that says no rate, since something else controls it. */
const MOST_TOTAL = 12_500_000;

export class Outlook implements GateFlows {
  readonly #context: PortalContext;
  readonly #outbound: Outbound;
  readonly #queues: FlowQueues | undefined;
  #next: Micros = 0;
  /** How long a flow's packets may wait before the paths count as full. */
  #useful: Micros = 0;
  /** Bytes per second that the paths may turn out to carry. */
  #possible = 0;
  /** True if paths differ so that senders of young flows need the gate for acknowledgements. */
  needsAckGate = false;
  /** A path that is used may turn out to carry more. */
  #isGrowing = false;

  constructor(context: PortalContext, outbound: Outbound, queues: FlowQueues | undefined) {
    this.#context = context;
    this.#outbound = outbound;
    this.#queues = queues;
  }

  update(now: Micros): void {
    if (now < this.#next || !this.#queues) return;
    this.#next = now + INTERVAL;
    const metric = this.#context.paths.activeMetric;
    const paths = this.#context.paths.list.filter((path) => path.isUp && path.metric === metric && path.isMeasured);
    if (paths.length === 0) return;
    const best = paths.reduce((a, b) => (b.arrival < a.arrival ? b : a));
    const total = paths.reduce((sum, path) => sum + path.estimate, 0);
    this.#outbound.total = total;
    this.#possible = paths.reduce((sum, path) => sum + path.estimate * (isGrowing(path) ? GROWING : 1), 0);
    const used = paths.filter((path) => !path.controller.isSettled || path.estimate >= NEGLIGIBLE * total);
    const spread = used.reduce((most, path) => Math.max(most, path.arrival - best.arrival), 0);
    const jitter = used.reduce((most, path) => Math.max(most, path.jitter, path.reorder.window(now) / 3), 0);
    const search = used.reduce((most, path) => Math.max(most, path.controller.isSettled ? 0 : path.rtt.smoothed), 0);
    // What is held for a repair, a round trip, or for what jitter keeps back must come from the queue before.
    const retransmitting = used.some(isLossy) ? best.rtt.smoothed : 0;
    const needed = spread + retransmitting + 3 * jitter;
    this.#queues.spread = needed + SEARCH_RTTS * search;
    this.#useful = needed + search / 2 + SATED;
    this.#isGrowing = used.some(isGrowing);
    this.#tellSparse(this.#queues, paths);
    this.#outbound.tunnelRtt = best.rtt.smoothed;
    this.needsAckGate = paths.length > 1 || best.jitter > JITTERY;
    const { retransmissions } = this.#outbound;
    const patience = this.#patience(best);
    const notice = used.reduce((most, path) => Math.max(most, path.rtt.smoothed + path.reorder.window(now)), 0);
    retransmissions.patience = patience + notice;
    retransmissions.reinjectionLifetime = best.rtt.smoothed;
    retransmissions.overdue = used.reduce((most, path) => Math.max(most, overdueAfter(path.rtt)), 0);
    this.#outbound.control.hold = Math.min(LONGEST_HOLD, patience + spread + 3 * jitter + 10_000);
  }

  /** What counts as sparse follows from what the paths carry together. */
  #tellSparse(queues: FlowQueues, paths: readonly Path[]): void {
    const total = paths.reduce((sum, path) => sum + Math.min(path.estimate, MOST_TOTAL), 0);
    queues.sparseRate = Math.min(MOST_SPARSE, Math.max(LEAST_SPARSE, total / 16));
    queues.promptRate = Math.max(LEAST_PROMPT, total / 4);
    queues.sparseBurst = Math.min(MOST_BURST, Math.max(LEAST_BURST, (total * BURST_TIME) / MICROS_PER_SECOND));
  }

  /** Whether more waits of the flow with this bucket, or more of it is under way, than the paths can use: all are full. */
  isSaturated(bucket: number, flight: number): boolean {
    const queues = this.#queues;
    if (!queues || this.#possible === 0) return false;
    if (queues.isCrowding(bucket)) return true;
    if ((queues.waiting(bucket) * MICROS_PER_SECOND) / this.#possible > this.#useful) return true;
    // A window that doubles in every round is ahead of rates that are still being found.
    if (this.#isGrowing) return false;
    const held = this.#useful + Math.max(this.#outbound.tunnelRtt, queues.rttOf(bucket));
    return (flight * MICROS_PER_SECOND) / this.#possible > held;
  }

  /** A packet of the flow with this bucket was acknowledged by its host so long after it joined the queue. */
  onRound(bucket: number, length: Micros): void {
    this.#queues?.learnRound(bucket, length);
  }

  #patience(best: Path): Micros {
    const trips = PATIENCE_RTTS * (best.rtt.smoothed + best.rtt.deviation);
    return Math.min(LONGEST_PATIENCE, Math.max(SHORTEST_PATIENCE, trips));
  }
}

/** Whether a path may carry more than is known of it: its rate is still being found, and it has no queue yet. */
function isGrowing(path: Path): boolean {
  return !path.controller.isSettled && path.arrival - path.delay.quiet < Math.max(SHORT_QUEUE, 4 * path.jitter);
}
