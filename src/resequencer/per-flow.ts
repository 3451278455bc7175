// @hot
/**
 * Restores the order of packets flow by flow. A packet in order passes at once. An early one is held until the missing ones come, the sender
 * abandons them, or the hold time is over. A late one is delivered all the same; a duplicate is dropped. No flow waits for another.
 */
import { type Micros, NEVER } from "../clock.ts";
import { DROP, type DropCounters } from "../drops.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";
import { CLASS } from "../wire/data.ts";
import { FlowOrder, MAX_AHEAD, SharedCells } from "./flow-order.ts";
import type { Resequencer } from "./resequencer.ts";

/** Share of the arena that held packets may take. */
const MAX_HELD_SHARE = 1 / 2;
/** Shortest time between two searches for rings that flows no longer need. */
const RECLAIM_INTERVAL: Micros = 10_000;
/** Hold time before the peer has sent one, µs. */
const INITIAL_HOLD: Micros = 100_000;

export class PerFlowResequencer implements Resequencer {
  readonly name = "per-flow";
  readonly #pool: PacketPool;
  readonly #drops: DropCounters;
  readonly #ready: Ring;
  readonly #byBucket: (FlowOrder | undefined)[];
  readonly #waiting: FlowOrder[] = [];
  readonly #cells = new SharedCells();
  #reclaimAt: Micros = -NEVER;
  readonly #maxHeld: number;
  held = 0;
  /** Longest wait of an early packet, µs; set by the sender, who knows the paths. */
  hold: Micros = INITIAL_HOLD;
  /** Counts of packets that were held, of holes given up by time, and of packets that came after that. */
  heldTotal = 0;
  expired = 0;
  late = 0;

  constructor(pool: PacketPool, buckets: number, drops: DropCounters) {
    this.#pool = pool;
    this.#drops = drops;
    this.#ready = new Ring(pool.count);
    this.#byBucket = new Array(buckets).fill(undefined);
    this.#maxHeld = pool.count * MAX_HELD_SHARE;
  }

  push(now: Micros, slot: Slot): void {
    const pool = this.#pool;
    const sequence = pool.sequence[slot] as number;
    const flow = this.#flowOf(pool.flow[slot] as number);
    const distance = flow.distance(sequence);
    if (distance === 0) return this.#deliverNext(flow, slot);
    if (distance < 0) return this.#deliverLate(flow, slot, sequence);
    if (pool.class[slot] !== CLASS.ORDERED) return this.#deliverAhead(now, flow, slot, sequence);
    if (distance >= MAX_AHEAD) this.#giveUpUntil(flow, sequence - MAX_AHEAD + 1);
    this.#hold(now, flow, slot, sequence);
  }

  /** Marks packets that the sender will not send again, so that none waits for them. */
  abandon(now: Micros, bucket: number, sequence: number, count: number): void {
    const flow = this.#byBucket[bucket];
    if (!flow) return;
    const distance = flow.distance(sequence);
    if (distance > 0) {
      for (let i = 0; i < count && distance + i < MAX_AHEAD && this.#reserve(now, flow, distance + i); i++)
        flow.abandon(sequence + i);
      return;
    }
    if (flow.held === 0 || distance + count <= 0) return;
    for (let i = distance + count; i > 0; i--) this.#step(flow);
    this.#drain(flow);
  }

  poll(now: Micros, out: PacketBatch): number {
    this.#expire(now);
    return this.#ready.drainTo(out);
  }

  deadline(): Micros {
    if (this.#ready.length > 0) return 0;
    let at = NEVER;
    for (let i = 0; i < this.#waiting.length; i++) at = Math.min(at, (this.#waiting[i] as FlowOrder).deadline);
    return at;
  }

  /** Lets all sequences begin anew, for a new run of the peer. */
  reset(): void {
    for (const flow of this.#byBucket) {
      if (!flow) continue;
      while (flow.held > 0) this.#giveUpHole(flow);
      flow.open(flow.bucket);
    }
  }

  #flowOf(bucket: number): FlowOrder {
    const known = this.#byBucket[bucket];
    if (known) return known;
    const flow = new FlowOrder(this.#cells);
    flow.open(bucket);
    this.#byBucket[bucket] = flow;
    return flow;
  }

  #deliverNext(flow: FlowOrder, slot: Slot): void {
    this.#ready.push(slot);
    flow.advance(true);
    if (flow.held > 0 || flow.hasMarks) this.#drain(flow);
  }

  /** Delivers what is held up to the next hole. */
  #drain(flow: FlowOrder): void {
    flow.skipMarks();
    for (let slot = flow.takeNext(); slot !== NO_SLOT; slot = flow.takeNext()) {
      this.#ready.push(slot);
      this.held--;
      flow.advance(true);
      flow.skipMarks();
    }
    // By the earliest packet behind the next hole: the waits of several holes do not add up.
    if (flow.held > 0) flow.deadline = (this.#pool.time[flow.firstHeld] as number) + this.hold;
    else this.#stopWaiting(flow);
  }

  #deliverLate(flow: FlowOrder, slot: Slot, sequence: number): void {
    if (flow.acceptLate(sequence)) {
      this.late++;
      this.#ready.push(slot);
    } else this.#drop(slot, DROP["sequence-duplicate"]);
  }

  /** Delivers a packet of a realtime flow ahead of its turn; what it skips may still come late. */
  #deliverAhead(now: Micros, flow: FlowOrder, slot: Slot, sequence: number): void {
    const ahead = flow.distance(sequence);
    // Another flow in the same bucket waits for its order, which this one does not disturb.
    if (flow.held > 0 && ahead < MAX_AHEAD && this.#reserve(now, flow, ahead)) {
      return this.#passAhead(flow, slot, sequence);
    }
    this.#giveUpUntil(flow, sequence);
    if (flow.distance(sequence) === 0) this.#deliverNext(flow, slot);
    else this.#deliverLate(flow, slot, sequence);
  }

  #passAhead(flow: FlowOrder, slot: Slot, sequence: number): void {
    if (flow.pass(sequence)) this.#ready.push(slot);
    else this.#drop(slot, DROP["sequence-duplicate"]);
  }

  #hold(now: Micros, flow: FlowOrder, slot: Slot, sequence: number): void {
    // Without room for what lies between, the wait for the oldest holes ends.
    if (!this.#reserve(now, flow, flow.distance(sequence))) this.#giveUpUntil(flow, sequence - flow.reach + 1);
    const ahead = flow.distance(sequence);
    if (ahead === 0) return this.#deliverNext(flow, slot);
    if (ahead < 0) return this.#deliverLate(flow, slot, sequence);
    if (!flow.hold(slot, sequence)) return this.#drop(slot, DROP["sequence-duplicate"]);
    this.#pool.time[slot] = now;
    this.held++;
    this.heldTotal++;
    if (flow.deadline === NEVER) {
      flow.deadline = now + this.hold;
      this.#waiting.push(flow);
    }
    if (this.held > this.#maxHeld) this.#giveUpHole(this.#fattest());
  }

  /** Makes room for a packet of `flow` that is ahead; takes it from flows that need none, if that was not tried just before. */
  #reserve(now: Micros, flow: FlowOrder, ahead: number): boolean {
    if (flow.reserve(ahead)) return true;
    if (now < this.#reclaimAt) return false;
    this.#reclaimAt = now + RECLAIM_INTERVAL;
    for (let i = 0; i < this.#byBucket.length; i++) this.#byBucket[i]?.giveBack();
    return flow.reserve(ahead);
  }

  #expire(now: Micros): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const flow = this.#waiting[i] as FlowOrder;
      if (flow.deadline > now) continue;
      this.expired++;
      this.#giveUpHole(flow);
    }
  }

  /** Skips the missing packets in front and delivers what follows. */
  #giveUpHole(flow: FlowOrder): void {
    let slot = flow.takeNext();
    while (slot === NO_SLOT && flow.held > 0) {
      flow.advance(false);
      slot = flow.takeNext();
    }
    if (slot === NO_SLOT) return;
    this.#ready.push(slot);
    this.held--;
    flow.advance(true);
    this.#drain(flow);
  }

  #giveUpUntil(flow: FlowOrder, sequence: number): void {
    while (flow.held > 0 && flow.distance(sequence) > 0) this.#step(flow);
    flow.jump(sequence);
    if (flow.deadline !== NEVER) this.#drain(flow);
  }

  /** Goes one sequence on, and delivers its packet if that is held. */
  #step(flow: FlowOrder): void {
    const slot = flow.takeNext();
    flow.advance(slot !== NO_SLOT);
    if (slot === NO_SLOT) return;
    this.#ready.push(slot);
    this.held--;
  }

  #fattest(): FlowOrder {
    let fattest = this.#waiting[0] as FlowOrder;
    for (const flow of this.#waiting) if (flow.held > fattest.held) fattest = flow;
    return fattest;
  }

  #stopWaiting(flow: FlowOrder): void {
    if (flow.deadline === NEVER) return;
    flow.deadline = NEVER;
    flow.rest();
    const at = this.#waiting.indexOf(flow);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #drop(slot: Slot, reason: number): void {
    this.#drops.count(reason);
    this.#pool.release(slot);
  }
}
