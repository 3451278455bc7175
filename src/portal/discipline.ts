/** The two ways to queue, schedule and reorder: the default, and the dissertation's. */
import type { DropCounters } from "../drops.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { FifoQueue } from "../queue/fifo.ts";
import { FlowQueues } from "../queue/flow-queues.ts";
import { ImmediateDispatch } from "../resequencer/immediate.ts";
import { PerFlowResequencer } from "../resequencer/per-flow.ts";
import type { Resequencer } from "../resequencer/resequencer.ts";
import { EarliestArrival } from "../scheduler/earliest-arrival.ts";
import { GreedyPull } from "../scheduler/greedy.ts";
import type { PacketQueue, Scheduler } from "../scheduler/scheduler.ts";
import { BUCKET_MASK } from "../wire/messages.ts";
import type { PathTable } from "./path-table.ts";
import type { TunnelSettings } from "./settings.ts";

/** The dissertation's queue holds a burst of the host, not a standing backlog. */
const FIFO_PACKETS = 1_024;
const FIFO_BYTES = 2_097_152;

export interface Discipline {
  readonly queue: PacketQueue;
  readonly scheduler: Scheduler;
  readonly resequencer: Resequencer;
  /** The queue again, where it tells flows apart. */
  readonly flowQueues: FlowQueues | undefined;
}

/** @param onShed takes a packet that had joined the queue and is pushed out */
export function createDiscipline(
  settings: TunnelSettings,
  pool: PacketPool,
  drops: DropCounters,
  paths: PathTable,
  onShed: (slot: Slot) => void,
): Discipline {
  if (settings.scheduling === "greedy") {
    return {
      queue: new FifoQueue(Math.min(FIFO_PACKETS, pool.count >> 2), FIFO_BYTES),
      scheduler: new GreedyPull(),
      resequencer: new ImmediateDispatch(pool.count),
      flowQueues: undefined,
    };
  }
  const flowQueues = new FlowQueues(pool, BUCKET_MASK + 1, pool.count >> 1);
  flowQueues.onShed = onShed;
  return {
    queue: flowQueues,
    scheduler: new EarliestArrival(flowQueues, paths.list),
    resequencer: new PerFlowResequencer(pool, BUCKET_MASK + 1, drops),
    flowQueues,
  };
}
