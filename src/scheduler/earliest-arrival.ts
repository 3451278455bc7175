// @hot
/**
 * Earliest arrival: a path takes the packet that would arrive no earlier by any other. The fastest takes the head of a flow; a slower one takes from
 * the backlog the packet which the faster ones would deliver just when it itself can. A slow path so never makes the head wait, and joins in only when
 * the backlog is deep enough that it helps.
 */
import type { Micros } from "../clock.ts";
import { NO_SLOT, type Slot } from "../memory/packet-pool.ts";
import type { FlowQueue } from "../queue/flow-queue.ts";
import type { FlowQueues } from "../queue/flow-queues.ts";
import type { PathView, Scheduler } from "./scheduler.ts";
import { isBestForSparse } from "./sparse-path.ts";

/** Paths whose delays differ by less are alike. */
const ALIKE: Micros = 2_000;
/** A path that would deliver later than this after the fastest is of no use to anybody. */
const LATEST: Micros = 450_000;
/** Bytes of sparse flows that wait for the best path before another helps. */
const SPILL = 6_000;
/** Flows looked at for one packet. */
const MAX_LOOKS = 16;

export class EarliestArrival implements Scheduler {
  readonly name = "earliest-arrival";
  readonly #queues: FlowQueues;
  readonly #paths: readonly PathView[];

  /** @param paths the portal's, live */
  constructor(queues: FlowQueues, paths: readonly PathView[]) {
    this.#queues = queues;
    this.#paths = paths;
  }

  next(now: Micros, path: PathView): Slot {
    const queue = this.#queues;
    const depth = this.#depth(path, this.#paths);
    if (depth < 0) return NO_SLOT;
    const sparse = this.#sparseFor(path, depth);
    if (sparse) return queue.take(now, sparse, path.id, 0);
    const share = depth / Math.max(1, queue.bulk.length);
    let flow = queue.bulk.first;
    for (let i = 0; flow && i < MAX_LOOKS; i++) {
      const { next }: FlowQueue = flow;
      const slot = queue.take(now, flow, path.id, share);
      if (slot !== NO_SLOT) return slot;
      flow = next;
    }
    return NO_SLOT;
  }

  /** The sparse flow whose packet `path` is to carry: it is the best, or so much waits for the best that it still delivers sooner. */
  #sparseFor(path: PathView, depth: number): FlowQueue | undefined {
    const queue = this.#queues;
    if (isBestForSparse(path, this.#paths)) return queue.nextSparse();
    return queue.lastSparse(depth + SPILL);
  }

  /** Bytes that the faster paths deliver before `path` could deliver its first; -1 if it is of no use. */
  #depth(path: PathView, paths: readonly PathView[]): number {
    let depth = 0;
    for (let i = 0; i < paths.length; i++) {
      const other = paths[i] as PathView;
      if (other === path || !other.isUp || other.metric !== path.metric || !other.isMeasured) continue;
      if (!path.isMeasured) return -1;
      const later = path.arrival - other.arrival;
      if (later <= ALIKE + Math.min(path.jitter, other.jitter)) continue;
      if (later > LATEST) return -1;
      depth += (other.estimate * later) / 1e6;
    }
    return depth;
  }
}
