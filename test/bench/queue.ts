/**
 * `bun test/bench/queue.ts`: what a packet costs on its way through the ingress queue, by how many flows are active: in, and out by
 * earliest arrival over a near path and a far one. Nanoseconds a packet, median and spread of the rounds.
 */
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { EarliestArrival } from "../../src/scheduler/earliest-arrival.ts";
import type { PathView } from "../../src/scheduler/scheduler.ts";
import { BUCKET_MASK } from "../../src/wire/data.ts";

const SLOTS = 8_192;
const STANDING = 2_000;
const PACKETS = 200_000;
const ROUNDS = 15;
const LENGTH = 1_400;

function pathView(id: number, arrival: number): PathView {
  const view = { id, metric: 0, isUp: true, isMeasured: true, arrival, jitter: 100, estimate: 2.5e6 };
  return { ...view, randomLoss: 0 };
}

/** Keeps `STANDING` packets waiting, of so many flows in turn, and passes `PACKETS` through; nanoseconds for each. */
function passThrough(flows: number): number {
  const pool = new PacketPool(SLOTS, LENGTH);
  const queues = new FlowQueues(pool, BUCKET_MASK + 1, 2 * STANDING);
  const paths = [pathView(0, 5_000), pathView(1, 50_000)];
  const scheduler = new EarliestArrival(queues, paths);
  let now = 0;
  let next = 0;
  const push = (): void => {
    const slot = pool.take();
    pool.flow[slot] = next;
    pool.length[slot] = LENGTH;
    pool.time[slot] = now;
    next = next + 1 === flows ? 0 : next + 1;
    if (queues.push(now, slot, LENGTH) !== 0) pool.release(slot);
  };
  while (queues.length < STANDING) push();
  const start = performance.now();
  for (let i = 0; i < PACKETS; i++) {
    now += 100;
    const slot = scheduler.next(now, paths[i & 1] as PathView);
    if (slot >= 0) pool.release(slot);
    if (queues.length < STANDING) push();
  }
  return ((performance.now() - start) * 1e6) / PACKETS;
}

for (const flows of [1, 100, 2_000]) {
  const rounds = Array.from({ length: ROUNDS }, () => passThrough(flows)).sort((a, b) => a - b);
  const [low, median, high] = [0.1, 0.5, 0.9].map((p) => Math.round(rounds[Math.floor(p * ROUNDS)] as number));
  console.log(`${String(flows).padStart(5)} flows: ${median} ns a packet (${low} to ${high})`);
}
