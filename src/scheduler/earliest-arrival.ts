// @hot
/**
 * Earliest arrival: each path takes the packet that no other path would deliver earlier. The fastest takes the head of a flow; a slower one takes from
 * the backlog the packet that the faster ones would deliver just when it can itself. So a slow path never delays the head, and carries packets only
 * when the backlog is deep enough for it to help.
 */
import type { Micros } from "../clock.ts";
import { NO_SLOT, type Slot } from "../memory/packet-pool.ts";
import type { FlowQueue } from "../queue/flow-queue.ts";
import type { FlowQueues } from "../queue/flow-queues.ts";
import type { PathView, Scheduler } from "./scheduler.ts";
import { isBestForSparse } from "./sparse-path.ts";

/** Difference of delays below which paths count as equal, µs. */
const ALIKE: Micros = 2_000;
/** Time after the fastest path's delivery beyond which a path is not used, µs. */
const LATEST: Micros = 450_000;
/** Bytes of sparse flows that may wait for the best path before another helps. */
const SPILL = 6_000;
/** Most flows that are looked at for one packet. */
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

  /** Returns the sparse flow whose packet `path` is to carry: `path` is the best, or so much waits for the best that `path` delivers sooner. */
  #sparseFor(path: PathView, depth: number): FlowQueue | undefined {
    const queue = this.#queues;
    if (isBestForSparse(path, this.#paths)) return queue.nextSparse();
    return queue.lastSparse(depth + SPILL);
  }

  /** Returns the bytes that the faster paths deliver before `path` can deliver its first; -1 if it is not to be used. */
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
