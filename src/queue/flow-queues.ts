// @hot
/**
 * The ingress queue: one queue for each flow, served in turn (deficit round robin), sparse flows before bulk, each kept short by CoDel on the
 * wait that is not useful (the shape of RFC 8290). Waiting is useful as far as slow paths need a backlog to take from (`spread`); only what
 * goes beyond is bloat. Sequences are assigned when packets join, so a drop hits the next packet to join, never one in the middle.
 *
 *     known sparse flows ─▶ new flows, up to half of what is sent ─▶ bulk
 *
 * A new flow is one whose first packet this is. Floods consist of new flows, so they get no more than that.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { DROP } from "../drops.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { markCongestion } from "../wire/ecn.ts";
import { DEFAULT_FLOW_LIMITS, type FlowLimits } from "./flow-limits.ts";
import { FlowList } from "./flow-list.ts";
import { FlowQueue } from "./flow-queue.ts";

/** Bytes that a flow may send in its turn: two full packets. */
const QUANTUM = 3_000;
/** Time without packets after which a flow begins anew, µs; also the time that packets on slower paths get to arrive before it counts as sparse again. */
const PAUSE: Micros = 200_000;
/** Time without packets after which a flow is forgotten, µs, and the number of such objects kept for new flows. */
const FORGET: Micros = 5_000_000;
const MAX_UNUSED = 64;
/** Share of a flow's round-trip time that may stand in its queue: half the saw-tooth of a CUBIC sender (beta 0.7). */
const WAIT_PER_RTT = 0.43;
const LEAST_WAIT: Micros = 15_000;
const MOST_WAIT: Micros = 150_000;
const DEFAULT_RTT: Micros = 100_000;
const LEAST_INTERVAL: Micros = 100_000;
/** Age of a flow, µs, below which signals are rarer: its sender is still in slow start, and a signal costs it most. */
const YOUNG: Micros = 2_000_000;
/** Most packets of a flow as a multiple of what is free, so that the largest are shed first and others find room (Choudhury and Hahne). */
const SHARE_OF_FREE = 4;
/** Packets that any flow may have while there is room at all, and the share of the room kept for flows with fewer. */
const FEW = 4;
const KEPT_SHARE = 1 / 16;
const CROWDING_SHARE = 1 / 3;
const NEW_FLOWS_SHARE = 1 / 4;
/** Bytes that new flows may be ahead of bulk. */
const NEW_FLOWS_LEAD = 16_000;

export class FlowQueues {
  readonly perFlow = this;
  readonly #pool: PacketPool;
  readonly #limits: FlowLimits;
  readonly #maxPackets: number;
  readonly #byBucket: (FlowQueue | undefined)[];
  readonly #unused: FlowQueue[] = [];
  /** Flows with packets, in the order of their turns. */
  readonly #sparse = new FlowList<FlowQueue>();
  readonly #newFlows = new FlowList<FlowQueue>();
  readonly bulk = new FlowList<FlowQueue>();
  /** Flows without packets, the longest without first. */
  readonly #idle = new FlowList<FlowQueue>();
  #lead = NEW_FLOWS_LEAD;
  /** Round-trip times between the hosts by bucket, µs, 0 while unknown. */
  readonly #rtts: Float64Array;
  length = 0;
  bytes = 0;
  /** Counts of packets dropped by CoDel, marked by it instead (ECN), and shed for want of room. */
  dropped = 0;
  marked = 0;
  shed = 0;

  /**
   * @param buckets number of flows told apart
   * @param maxPackets packets that may wait in all
   * @param limits may change at any time
   */
  constructor(pool: PacketPool, buckets: number, maxPackets: number, limits: FlowLimits = DEFAULT_FLOW_LIMITS) {
    this.#pool = pool;
    this.#limits = limits;
    this.#maxPackets = maxPackets;
    this.#byBucket = new Array(buckets).fill(undefined);
    this.#rtts = new Float64Array(buckets);
  }

  /** Takes in a packet of the flow `pool.flow[slot]` and returns 0, or returns the reason for which it is to be dropped. */
  push(now: Micros, slot: Slot, bytes: number): number {
    const flags = this.#pool.flags[slot] as number;
    const flow = this.#flowOf(now, this.#pool.flow[slot] as number);
    const isAgain = (flags & PACKET_FLAG.AGAIN) !== 0;
    if (flow.dropsNext && !isAgain) {
      flow.dropsNext = false;
      this.dropped++;
      return DROP["queue-delay"];
    }
    if (!this.#hasRoom(flow, (flags & PACKET_FLAG.NEW_FLOW) !== 0, isAgain)) {
      this.shed++;
      return DROP["queue-full"];
    }
    this.#meet(now, flow, flags, bytes);
    flow.push(slot, bytes);
    flow.list?.count(1, bytes);
    this.#place(flow);
    this.length++;
    this.bytes += bytes;
    return 0;
  }

  /** Takes the head of the next flow in turn, which is for paths without a choice. */
  shift(now: Micros): Slot {
    const flow = this.nextSparse() ?? this.bulk.first;
    return flow ? this.take(now, flow, 0, 0) : NO_SLOT;
  }

  /** Returns the flow that goes before all bulk, undefined if none does. */
  nextSparse(): FlowQueue | undefined {
    return this.#sparse.first ?? (this.#areNewFlowsDue ? this.#newFlows.first : undefined);
  }

  /** Returns the sparse flow whose turn comes last if more than `bytes` wait in the sparse flows up to it. */
  lastSparse(bytes: number): FlowQueue | undefined {
    if (this.#sparse.bytes > bytes) return this.#sparse.last;
    const isLong = this.#sparse.bytes + this.#newFlows.bytes > bytes;
    return isLong && this.#areNewFlowsDue ? this.#newFlows.last : undefined;
  }

  get #areNewFlowsDue(): boolean {
    return this.#lead > 0 || this.bulk.length === 0;
  }

  /** Number of flows that have packets. */
  get flows(): { readonly sparse: number; readonly bulk: number } {
    return { sparse: this.#sparse.length + this.#newFlows.length, bulk: this.bulk.length };
  }

  /** True if packets of this flow are bulk now. */
  isBulk(bucket: number): boolean {
    return this.#byBucket[bucket]?.isBulk ?? false;
  }

  /** Sets the round-trip time between the hosts of a flow, as its handshake showed it. */
  learnRtt(bucket: number, rtt: Micros): void {
    this.#rtts[bucket] = rtt;
  }

  /** Returns the round-trip time between the hosts of a flow, µs, 0 while unknown. */
  rttOf(bucket: number): Micros {
    return this.#rtts[bucket] as number;
  }

  /** Takes the time from a packet's joining the queue to its acknowledgement by the host's peer as a sample of the flow's round-trip time. */
  learnRound(bucket: number, length: Micros): void {
    const flow = this.#byBucket[bucket];
    if (!flow) return;
    const rtt = Math.max(0, length - flow.wait);
    flow.rtt += (rtt - flow.rtt) / (flow.rtt === 0 ? 1 : 4);
  }

  /** True if the flow has so much of the room that others may soon find none. */
  isCrowding(bucket: number): boolean {
    return (this.#byBucket[bucket]?.packets ?? 0) > this.#maxPackets * CROWDING_SHARE;
  }

  /** Returns the backlog of the flow with this bucket in bytes. */
  waiting(bucket: number): number {
    return this.#byBucket[bucket]?.bytes ?? 0;
  }

  /** Takes a packet of `flow` for a path, with `depth` bytes of backlog before it; -1 if the backlog is shorter. */
  take(now: Micros, flow: FlowQueue, path: number, depth: number): Slot {
    if (depth > 0 && flow.isPrompt) return NO_SLOT;
    const slot = flow.takeAt(this.#pool, path, depth);
    if (slot === NO_SLOT) return slot;
    const bytes = this.#pool.length[slot] as number;
    this.length--;
    this.bytes -= bytes;
    this.#charge(flow, bytes);
    if (depth > 0) flow.deepAt = now;
    else this.#watch(now, flow, slot);
    if (flow.packets === 0) this.#retire(now, flow);
    else if (flow.deficit <= 0) {
      flow.deficit += QUANTUM;
      flow.list?.push(flow);
    }
    return slot;
  }

  /** Calls `visit` for every packet that waits, flow by flow, in order. Cold. */
  each(visit: (slot: Slot) => void): void {
    for (const list of [this.#sparse, this.#newFlows, this.bulk]) {
      for (let flow = list.first; flow; flow = flow.next) flow.each(visit);
    }
  }

  #flowOf(now: Micros, bucket: number): FlowQueue {
    const known = this.#byBucket[bucket];
    if (known) return known;
    this.#forget(now);
    const flow = this.#unused.pop() ?? new FlowQueue();
    flow.open(bucket, now);
    this.#byBucket[bucket] = flow;
    this.#idle.push(flow);
    return flow;
  }

  /** Forgets the flows that were longest without packets; two for each that comes, so that they do not gather. */
  #forget(now: Micros): void {
    for (let i = 0; i < 2; i++) {
      const flow = this.#idle.first;
      if (!flow || now - flow.idleSince < FORGET) return;
      this.#idle.remove(flow);
      this.#byBucket[flow.bucket] = undefined;
      this.#rtts[flow.bucket] = 0;
      flow.open(-1, now);
      if (this.#unused.length < MAX_UNUSED) this.#unused.push(flow);
    }
  }

  #hasRoom(flow: FlowQueue, isNewFlow: boolean, isAgain: boolean): boolean {
    const free = this.#maxPackets - this.length;
    const kept = this.#maxPackets * KEPT_SHARE;
    // A packet sent again may exceed its flow's share, but not take what is kept for others.
    if (isAgain) return free > kept;
    if (isNewFlow) return free > kept && this.#newFlows.packets < this.#maxPackets * NEW_FLOWS_SHARE;
    if (flow.packets < FEW && !flow.isBulk) return free > 0;
    return free > kept && flow.packets < SHARE_OF_FREE * (free - kept);
  }

  /** Updates the flow by a packet that joins it: its kind, its rate and whether it is known. */
  #meet(now: Micros, flow: FlowQueue, flags: number, bytes: number): void {
    const isPaused = flow.packets === 0 && now - flow.idleSince > PAUSE;
    const isNewFlow = (flags & PACKET_FLAG.NEW_FLOW) !== 0;
    if (flow.packets === 0) {
      flow.deficit = QUANTUM;
      flow.isKnown = !isNewFlow;
      if (isPaused) flow.busySince = now;
    } else if (!isNewFlow) flow.isKnown = true;
    flow.isPrompt = (flags & PACKET_FLAG.PROMPT) !== 0;
    const rate = flow.isPrompt ? this.#limits.promptRate : this.#limits.sparseRate;
    const drained = flow.level - (rate * (now - flow.levelAt)) / MICROS_PER_SECOND;
    flow.levelAt = now;
    flow.level = (isPaused ? 0 : Math.max(0, drained)) + bytes;
    const { sparseBurst, spread } = this.#limits;
    if (flow.level > sparseBurst) {
      flow.isBulk = true;
      flow.level = Math.min(flow.level, 2 * sparseBurst);
    } else if (flow.isBulk && flow.level === bytes && now - flow.deepAt > PAUSE + spread) flow.isBulk = false;
  }

  /** Puts a flow with packets into the list it belongs to now. */
  #place(flow: FlowQueue): void {
    const list = flow.isBulk ? this.bulk : flow.isKnown ? this.#sparse : this.#newFlows;
    if (flow.list !== list) list.push(flow);
  }

  /** Charges the flow for a packet that leaves. */
  #charge(flow: FlowQueue, bytes: number): void {
    flow.deficit -= bytes;
    flow.list?.count(-1, -bytes);
    if (flow.list === this.#newFlows) this.#lead -= bytes;
    else if (flow.list === this.bulk) this.#lead = Math.min(NEW_FLOWS_LEAD, this.#lead + bytes);
    if (this.bulk.length === 0) this.#lead = NEW_FLOWS_LEAD;
  }

  #retire(now: Micros, flow: FlowQueue): void {
    flow.idleSince = now;
    flow.dropsNext = false;
    flow.codel.rest();
    this.#idle.push(flow);
    this.#forget(now);
  }

  /** Judges the wait of a packet that leaves the head, and signals the flow's sender if it was too long. */
  #watch(now: Micros, flow: FlowQueue, slot: Slot): void {
    const { spread } = this.#limits;
    flow.wait = now - (this.#pool.time[slot] as number);
    // Until it was measured, the slowest path counts for all packets, as those that overtake it are held.
    const rtt = Math.max(flow.rtt, ((this.#rtts[flow.bucket] as number) || DEFAULT_RTT) + spread);
    const target = Math.min(MOST_WAIT, Math.max(LEAST_WAIT, WAIT_PER_RTT * rtt));
    // The last packet is no queue, however long it waited.
    const excess = flow.packets === 0 ? 0 : flow.wait - spread;
    const interval =
      Math.max(LEAST_INTERVAL, 2 * (rtt + Math.min(excess, MOST_WAIT))) * (now - flow.busySince < YOUNG ? 2 : 1);
    // A signal takes the queue and a round-trip time to reach the sender, whose reaction takes one more and shows after a third.
    const echo = flow.rtt > 0 ? 3 * (rtt + flow.wait) : 0;
    if (!flow.codel.judge(now, excess, target, interval, echo)) return;
    if (markCongestion(this.#pool.view, this.#pool.start[slot] as number)) this.marked++;
    else flow.dropsNext = true;
  }
}
