/** The dissertation's greedy pull: every path takes from the one queue what its congestion controller allows. */
import type { Micros } from "../clock.ts";
import type { Slot } from "../memory/packet-pool.ts";
import type { PacketQueue, PathView, Scheduler } from "./scheduler.ts";

export class GreedyPull implements Scheduler {
  readonly name = "greedy";

  next(now: Micros, _path: PathView, queue: PacketQueue): Slot {
    return queue.shift(now);
  }
}
