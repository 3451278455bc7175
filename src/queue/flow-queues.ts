// @hot
/**
 * The ingress queue: one queue for each flow, served in turn (deficit round robin, RFC 8290's shape), each kept short by CoDel on the wait that is not useful.
 * Waiting is useful as far as slow paths need a backlog to take from (`spread`); only what goes beyond is bloat.
 * Sequences are given when packets join, so a drop hits the packet that comes next, never one in the middle.
 */
import type { Micros } from "../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { FlowQueue } from "./flow-queue.ts";

/** Bytes a flow may send in its turn: two full packets. */
const QUANTUM = 3_000;
/** A flow that has sent this much without a pause is bulk, until it pauses. */
const BULK_BYTES = 64_000;
const BULK_PAUSE: Micros = 200_000;
/** CoDel's interval, and how long a standing wait is allowed for the sender's own saw-tooth. */
const INTERVAL: Micros = 100_000;
const ALLOWED_WAIT: Micros = 45_000;
/** A flow's first seconds: its sender is still finding out, and one drop costs it most. */
const YOUNG: Micros = 2_000_000;

export class FlowQueues {
  readonly #pool: PacketPool;
  readonly #maxPackets: number;
  readonly #byBucket: (FlowQueue | undefined)[];
  readonly #unused: FlowQueue[] = [];
  /** Flows with packets, in the order of their turns; thin ones before bulk. */
  readonly thin: FlowQueue[] = [];
  readonly bulk: FlowQueue[] = [];
  length = 0;
  bytes = 0;
  /** How much later the slowest path in use delivers than the fastest, µs: waiting for that is useful. */
  spread: Micros = 0;
  /** Packets dropped by AQM, and shed for want of room. */
  dropped = 0;
  shed = 0;

  /** @param buckets flows told apart; @param maxPackets packets that may wait in all */
  constructor(pool: PacketPool, buckets: number, maxPackets: number) {
    this.#pool = pool;
    this.#maxPackets = maxPackets;
    this.#byBucket = new Array(buckets).fill(undefined);
  }

  /** Takes a packet of the flow `pool.flow[slot]` in; false if AQM or want of room refuse it. */
  push(now: Micros, slot: Slot, bytes: number): boolean {
    const flow = this.#flowOf(now, this.#pool.flow[slot] as number);
    if (flow.dropsNext) {
      flow.dropsNext = false;
      this.dropped++;
      return false;
    }
    if (this.length >= this.#maxPackets && !this.#makeRoom(flow)) {
      this.shed++;
      return false;
    }
    if (flow.packets === 0) this.#wake(now, flow);
    flow.push(slot, bytes);
    flow.busyBytes += bytes;
    if (!flow.isBulk && flow.busyBytes > BULK_BYTES) this.#becomeBulk(flow);
    this.length++;
    this.bytes += bytes;
    return true;
  }

  /** The head of the next flow in turn; what a path without a choice takes. */
  shift(now: Micros): Slot {
    const flow = this.thin[0] ?? this.bulk[0];
    return flow ? this.take(now, flow, 0, 0) : NO_SLOT;
  }

  /** True if packets of this flow are bulk now. */
  isBulk(bucket: number): boolean {
    return this.#byBucket[bucket]?.isBulk ?? false;
  }

  /** Takes a packet of `flow` for a path, with `depth` waiting bytes before it; -1 if there are not so many. */
  take(now: Micros, flow: FlowQueue, path: number, depth: number): Slot {
    const slot = flow.takeAt(this.#pool, path, depth);
    if (slot === NO_SLOT) return slot;
    const bytes = this.#pool.length[slot] as number;
    this.length--;
    this.bytes -= bytes;
    if (depth === 0) this.#watch(now, flow, now - (this.#pool.time[slot] as number));
    flow.deficit -= bytes;
    if (flow.packets === 0) this.#retire(now, flow);
    else if (flow.deficit <= 0) this.#passTurn(flow);
    return slot;
  }

  /** Calls `visit` for every packet that waits, flow by flow, in order. Cold. */
  each(visit: (slot: Slot) => void): void {
    for (const flow of [...this.thin, ...this.bulk]) flow.each(visit);
  }

  #flowOf(now: Micros, bucket: number): FlowQueue {
    const known = this.#byBucket[bucket];
    if (known) return known;
    const flow = this.#unused.pop() ?? new FlowQueue();
    flow.open(bucket, now);
    this.#byBucket[bucket] = flow;
    return flow;
  }

  #wake(now: Micros, flow: FlowQueue): void {
    if (now - flow.idleSince > BULK_PAUSE) {
      flow.busySince = now;
      flow.busyBytes = 0;
      flow.isBulk = false;
    }
    flow.deficit = QUANTUM;
    flow.isListed = true;
    (flow.isBulk ? this.bulk : this.thin).push(flow);
  }

  #becomeBulk(flow: FlowQueue): void {
    if (flow.isListed) this.#unlist(flow);
    flow.isBulk = true;
    flow.isListed = true;
    this.bulk.push(flow);
  }

  #passTurn(flow: FlowQueue): void {
    flow.deficit += QUANTUM;
    this.#unlist(flow);
    flow.isListed = true;
    (flow.isBulk ? this.bulk : this.thin).push(flow);
  }

  #retire(now: Micros, flow: FlowQueue): void {
    flow.idleSince = now;
    flow.aboveSince = -1;
    this.#unlist(flow);
  }

  #unlist(flow: FlowQueue): void {
    const list = flow.isBulk ? this.bulk : this.thin;
    const at = list.indexOf(flow);
    if (at >= 0) list.splice(at, 1);
    flow.isListed = false;
  }

  /** CoDel (RFC 8289) on the head's wait beyond what is useful. */
  #watch(now: Micros, flow: FlowQueue, wait: Micros): void {
    if (wait < this.spread + ALLOWED_WAIT || flow.packets < 2) {
      flow.aboveSince = -1;
      if (flow.drops > 0 && now > flow.dropAt + INTERVAL) flow.drops = 0;
      return;
    }
    const interval = now - flow.busySince < YOUNG ? 2 * INTERVAL : INTERVAL;
    if (flow.aboveSince < 0) {
      flow.aboveSince = now;
      flow.dropAt = now + interval / Math.sqrt(flow.drops + 1);
    } else if (now >= flow.dropAt && !flow.dropsNext) {
      flow.drops++;
      flow.dropAt = now + interval / Math.sqrt(flow.drops);
      flow.dropsNext = true;
    }
  }

  /** Sheds the newest packet of the fattest flow, so that a thin one finds room; false if `flow` is the fattest itself. */
  #makeRoom(flow: FlowQueue): boolean {
    let fattest = flow;
    for (const other of this.bulk) if (other.bytes > fattest.bytes) fattest = other;
    if (fattest === flow) return false;
    const slot = fattest.takeNewest(this.#pool);
    if (slot === NO_SLOT) return false;
    this.length--;
    this.bytes -= this.#pool.length[slot] as number;
    this.shed++;
    this.onShed(slot);
    return true;
  }

  /** Told of a packet that was shed after it had joined: its owner gives the sequence and the slot back. */
  onShed: (slot: Slot) => void = () => {};
}
