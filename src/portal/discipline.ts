/** Chooses between the two ways to queue, schedule and reorder: the default, and the dissertation's. */
import type { DropCounters } from "../drops.ts";
import type { PacketPool } from "../memory/packet-pool.ts";
import { FifoQueue } from "../queue/fifo.ts";
import { FlowQueues } from "../queue/flow-queues.ts";
import { ImmediateDispatch } from "../resequencer/immediate.ts";
import { PerFlowResequencer } from "../resequencer/per-flow.ts";
import type { Resequencer } from "../resequencer/resequencer.ts";
import { EarliestArrival } from "../scheduler/earliest-arrival.ts";
import { GreedyPull } from "../scheduler/greedy.ts";
import type { PacketQueue, Scheduler } from "../scheduler/scheduler.ts";
import { BUCKET_MASK } from "../wire/data.ts";
import type { PathTable } from "./path-table.ts";
import type { TunnelSettings } from "./settings.ts";
import type { TunnelEstimate } from "./tunnel-estimate.ts";

/** The dissertation's queue holds a burst of the host, not a standing backlog. */
const FIFO_PACKETS = 1_024;
const FIFO_BYTES = 2_097_152;
/** Share of the arena that the queues may hold: with half of it in the resequencer, an eighth is left for packets in flight. */
const QUEUE_SHARE = 3 / 8;

export interface Discipline {
  readonly queue: PacketQueue;
  readonly scheduler: Scheduler;
  readonly resequencer: Resequencer;
}

export function createDiscipline(
  settings: TunnelSettings,
  pool: PacketPool,
  drops: DropCounters,
  paths: PathTable,
  estimate: Readonly<TunnelEstimate>,
): Discipline {
  if (settings.scheduling === "greedy") {
    return {
      queue: new FifoQueue(Math.min(FIFO_PACKETS, pool.count >> 2), FIFO_BYTES),
      scheduler: new GreedyPull(),
      resequencer: new ImmediateDispatch(pool.count),
    };
  }
  const queue = new FlowQueues(pool, BUCKET_MASK + 1, Math.floor(pool.count * QUEUE_SHARE), estimate);
  return {
    queue,
    scheduler: new EarliestArrival(queue, paths.list),
    resequencer: new PerFlowResequencer(pool, BUCKET_MASK + 1, drops),
  };
}
