/** The queues and the schedulers that take from them: any flows, any paths, any order of calls. */
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { FifoQueue } from "../../src/queue/fifo.ts";
import { DEFAULT_FLOW_LIMITS, type FlowLimits } from "../../src/queue/flow-limits.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { EarliestArrival } from "../../src/scheduler/earliest-arrival.ts";
import { GreedyPull } from "../../src/scheduler/greedy.ts";
import type { PacketQueue, PathView, Scheduler } from "../../src/scheduler/scheduler.ts";
import { seedsOf } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Operations } from "./operations.ts";
import { check, type Target } from "./target.ts";

const SLOTS = 160;
const ROOM = 96;
const FLOWS = 12;
const PATHS = 3;

type MutablePath = { -readonly [K in keyof PathView]: PathView[K] };
type Create = (
  pool: PacketPool,
  paths: readonly PathView[],
  limits: FlowLimits,
) => { queue: PacketQueue; scheduler: Scheduler };

class Bench {
  readonly #pool = new PacketPool(SLOTS, 1_500);
  readonly #paths: MutablePath[] = Array.from({ length: PATHS }, (_, id) => pathView(id));
  readonly #limits = { ...DEFAULT_FLOW_LIMITS };
  readonly #queue: PacketQueue;
  readonly #scheduler: Scheduler;
  readonly #waiting = new Set<number>();
  #bytes = 0;
  #now = 0;

  constructor(create: Create) {
    const { queue, scheduler } = create(this.#pool, this.#paths, this.#limits);
    this.#queue = queue;
    this.#scheduler = scheduler;
  }

  attempt(input: Uint8Array): void {
    const operations = new Operations(input);
    while (!operations.isDone) this.#step(operations);
    const { length, bytes } = this.#queue;
    check(length === this.#waiting.size && bytes === this.#bytes, "counts");
    check(this.#pool.free === SLOTS - length, "slots");
    let visited = 0;
    this.#queue.each((slot) => {
      check(this.#waiting.has(slot), "visits what does not wait");
      visited++;
    });
    check(visited === length, "visits not all that waits");
  }

  #step(operations: Operations): void {
    const what = operations.below(8);
    if (what < 3) this.#push(operations);
    else if (what < 5) {
      const path = this.#paths[operations.below(PATHS)] as PathView;
      this.#take(this.#scheduler.next(this.#now, path, this.#queue));
    } else if (what === 5) this.#take(this.#queue.shift(this.#now));
    else if (what === 6) this.#now += operations.oneIn(6) ? 100 * operations.below(65_536) : operations.below(3_000);
    else this.#change(operations);
  }

  #push(operations: Operations): void {
    const slot = this.#pool.take();
    if (slot < 0) return;
    const bytes = 20 + operations.below(1_480);
    this.#pool.flow[slot] = operations.below(FLOWS);
    this.#pool.length[slot] = bytes;
    this.#pool.flags[slot] = operations.oneIn(4) ? operations.below(64) : 0;
    this.#pool.time[slot] = this.#now;
    this.#pool.bytes.fill(0x45, this.#pool.start[slot], (this.#pool.start[slot] as number) + 20);
    if (this.#queue.push(this.#now, slot, bytes) !== 0) return this.#pool.release(slot);
    this.#waiting.add(slot);
    this.#bytes += bytes;
  }

  #take(slot: number): void {
    if (slot === -1) return;
    check(this.#waiting.delete(slot), "gave a packet that did not wait");
    this.#bytes -= this.#pool.length[slot] as number;
    this.#pool.release(slot);
  }

  #change(operations: Operations): void {
    const path = this.#paths[operations.below(PATHS)] as MutablePath;
    path.isUp = !operations.oneIn(4);
    path.metric = operations.below(2);
    path.isMeasured = !operations.oneIn(4);
    path.arrival = 10 * operations.below(65_536);
    path.jitter = operations.below(65_536);
    path.estimate = operations.oneIn(5) ? 0 : 200 * operations.below(65_536);
    path.randomLoss = operations.below(101) / 100;
    if (!(this.#queue instanceof FlowQueues)) return;
    this.#limits.spread = operations.below(65_536);
    this.#queue.learnRtt(operations.below(FLOWS), 10 * operations.below(65_536));
    this.#queue.learnRound(operations.below(FLOWS), 10 * operations.below(65_536));
    this.#limits.sparseRate = 16_000 + 4 * operations.below(65_536);
  }
}

function pathView(id: number): MutablePath {
  const known = { isUp: true, isMeasured: true, arrival: 10_000, jitter: 0, estimate: 1e6, randomLoss: 0 };
  return { id, metric: 0, ...known } as MutablePath;
}

const target = (create: Create): Target => ({
  draw: (random) => mutate(random, seedsOf("queues"), 300),
  start() {
    const bench = new Bench(create);
    return (_random, input) => bench.attempt(input);
  },
});

export const QUEUES = {
  queues: target((pool, paths, limits) => {
    const queue = new FlowQueues(pool, FLOWS, ROOM, limits);
    return { queue, scheduler: new EarliestArrival(queue, paths) };
  }),
  "queues-greedy": target(() => ({ queue: new FifoQueue(ROOM, 60_000), scheduler: new GreedyPull() })),
} as const;
