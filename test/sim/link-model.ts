/**
 * One direction of a link, in virtual time: what a packet meets on its way, in this order:
 * cut, end, size, policer, queue (tail drop), rate and slots, loss, delay and jitter, duplication.
 * It holds numbers (slots, indices) that stand for packets, never bytes; it reads no clock and draws from its own seed only,
 * so the simulator and the lab's emulator in real time share it.
 *
 * Call `offer` for each packet, `advance` when `next()` is due (and whenever convenient), and change it while it runs.
 */
import { type Micros, NEVER } from "../../src/clock.ts";
import { SeededRandom } from "../support/random.ts";
import { type BurstLoss, BurstState } from "./burst-loss.ts";
import { TimerQueue } from "./timer-queue.ts";
import { type Policer, TokenBucket } from "./token-bucket.ts";

/** Bytes that Ethernet adds to an IP packet, frame check sequence included. */
export const ETHERNET_OVERHEAD = 18;

/** Why a link lost a packet; indices of `LinkModel.drops`. */
export const LINK_DROP = {
  NONE: 0,
  CUT: 1,
  ENDED: 2,
  POLICER: 3,
  QUEUE: 4,
  LISTED: 5,
  RANDOM: 6,
  BURST: 7,
  MTU: 8,
} as const;
const DROP_CAUSES = Object.keys(LINK_DROP).length;

/** Everything about one direction. Absent fields take `DEFAULT_SHAPE`. */
export interface LinkShape {
  /** Bits of wire size per second; Infinity passes at once, 0 stalls. */
  readonly rate: number;
  /** One-way, after the last bit has left the queue. */
  readonly delay: Micros;
  /** Deviation of the normal law, half the width of the uniform one; a negative sum counts as no delay. */
  readonly jitter: Micros;
  readonly jitterLaw: "normal" | "uniform";
  /** True: jitter lets packets overtake, as netem does behind a rate limiter. False: nobody overtakes, as on Wi-Fi or LTE. */
  readonly reorder: boolean;
  /** Probability, independent per packet; lost packets have used the rate. */
  readonly loss: number;
  readonly bursts: BurstLoss | undefined;
  /** Packets to lose, by the order they were offered, the first being 0. */
  readonly lose: readonly number[];
  /** The connection ends once so many packets were offered. */
  readonly endAfter: number;
  readonly duplicate: number;
  /** Bounds of the queue, the packet being sent included; wire bytes; time at the present rate. */
  readonly queuePackets: number;
  readonly queueBytes: number;
  readonly queueTime: Micros;
  /** Packets leave at multiples of the interval only, at most so many each time (LTE grants, Wi-Fi aggregates). */
  readonly slots: { readonly interval: Micros; readonly packets: number } | undefined;
  /** Drops what exceeds it. */
  readonly policer: Policer | undefined;
  /** Changes of the rate by time, ascending; `rate` holds before the first. */
  readonly trace: readonly (readonly [at: Micros, rate: number])[];
  /** Bytes the wire adds to each packet. */
  readonly overhead: number;
  /** Largest packet, IP header included; larger ones vanish without a word. */
  readonly mtu: number;
}

export const DEFAULT_SHAPE: LinkShape = {
  rate: Number.POSITIVE_INFINITY,
  delay: 0,
  jitter: 0,
  jitterLaw: "normal",
  reorder: false,
  loss: 0,
  bursts: undefined,
  lose: [],
  endAfter: Number.POSITIVE_INFINITY,
  duplicate: 0,
  queuePackets: Number.POSITIVE_INFINITY,
  queueBytes: Number.POSITIVE_INFINITY,
  queueTime: NEVER,
  slots: undefined,
  policer: undefined,
  trace: [],
  overhead: ETHERNET_OVERHEAD,
  mtu: Number.POSITIVE_INFINITY,
};

/** Told what became of a packet; `id` is the number given to `offer`. */
export interface LinkOutput {
  /** Called when it came out at `at`, which is not later than the time `advance` was given and never earlier than before. */
  arrive(id: number, at: Micros): void;
  /** Called when it was lost after it was taken; `cause` is one of `LINK_DROP`. */
  discard(id: number, cause: number): void;
}

export class LinkModel {
  /** Lost packets per cause of `LINK_DROP`. */
  readonly drops = new Float64Array(DROP_CAUSES);
  /** Packets and wire bytes offered, and packets that came out. */
  offered = 0;
  offeredBytes = 0;
  arrived = 0;
  /** Largest backlog of the queue so far, wire bytes. */
  peakBacklog = 0;
  #shape: LinkShape;
  #lose = new Set<number>();
  readonly #random: SeededRandom;
  readonly #jitterRandom: SeededRandom;
  // The queue: a ring that grows, in order of arrival.
  #ids = new Int32Array(256);
  #sizes = new Int32Array(256);
  #numbers = new Float64Array(256);
  #head = 0;
  #count = 0;
  #backlog = 0;
  /** Bytes of the head still to send, counted from `#clock`. */
  #remaining = 0;
  #clock: Micros = 0;
  /** Bytes per microsecond now. */
  #speed = Number.POSITIVE_INFINITY;
  #traceIndex = 0;
  #slot = -1;
  #slotUsed = 0;
  readonly #tokens: TokenBucket;
  readonly #bursts = new BurstState();
  #isCut = false;
  #lastExit: Micros = 0;
  readonly #flying = new TimerQueue();

  /** @param seed of the loss and jitter of this direction; two directions want two seeds */
  constructor(shape: Partial<LinkShape>, seed: number) {
    this.#shape = DEFAULT_SHAPE;
    this.#random = new SeededRandom(seed);
    this.#jitterRandom = new SeededRandom(seed ^ 0x6a177e12);
    this.#take({ ...DEFAULT_SHAPE, ...shape });
    this.#tokens = new TokenBucket(this.#shape.policer?.burst ?? 0);
  }

  get shape(): LinkShape {
    return this.#shape;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Packets in the queue, the one being sent included. */
  get queuedPackets(): number {
    return this.#count;
  }

  /** Wire bytes in the queue, as of the last call with a time. */
  get queuedBytes(): number {
    return this.#count === 0 ? 0 : this.#backlog - (this.#sizeAt(0) - this.#remaining);
  }

  /** Returns the time that the last packet in the queue waits at the present rate. */
  get queuedTime(): Micros {
    const bytes = this.queuedBytes;
    return bytes === 0 ? 0 : bytes / this.#speed;
  }

  /** Packets taken that have not come out yet. */
  get held(): number {
    return this.#count + this.#flying.length;
  }

  /**
   * Takes a packet of `size` bytes (IP header included, the shape's overhead not) under the number `id`.
   * Call `advance(now)` first: this does it only for the queue's length.
   * @returns how often `id` will come back through `arrive` or `discard`: 0 (dropped now), 1, or 2 (duplicated)
   */
  offer(now: Micros, size: number, id: number, out: LinkOutput): number {
    this.#serve(now, out);
    const number = this.offered++;
    const wire = size + this.#shape.overhead;
    this.offeredBytes += wire;
    const cause = this.#refuse(now, number, wire);
    if (cause !== LINK_DROP.NONE) {
      this.#drop(cause);
      return 0;
    }
    this.#enqueue(id, wire, number);
    if (this.#shape.duplicate === 0 || !this.#random.chance(this.#shape.duplicate)) return 1;
    this.#enqueue(id, wire, number);
    return 2;
  }

  /** Returns when `advance` has something to do, at the latest; `NEVER` when the link is empty or stalled. */
  next(): Micros {
    let time = this.#flying.time;
    if (this.#count > 0) {
      time = Math.min(time, this.#release(this.#finish()));
      const change = this.#shape.trace[this.#traceIndex];
      if (change) time = Math.min(time, change[0]);
    }
    return time;
  }

  /** Hands over everything that came out or was lost up to `now`, in order of time. */
  advance(now: Micros, out: LinkOutput): void {
    this.#serve(now, out);
    while (this.#flying.time <= now) {
      const at = this.#flying.time;
      const id = this.#flying.shift();
      if (this.#isCut) {
        this.#drop(LINK_DROP.CUT);
        out.discard(id, LINK_DROP.CUT);
      } else {
        this.arrived++;
        out.arrive(id, at);
      }
    }
  }

  /** Changes what the link does from `now` on; packets in the queue meet the new rate, those in flight keep their arrival. */
  change(now: Micros, shape: Partial<LinkShape>, out: LinkOutput): void {
    this.advance(now, out);
    this.#take({ ...this.#shape, ...shape });
  }

  /** Pulls the plug: what is inside is lost as it would come out, and nothing enters. */
  cut(now: Micros, out: LinkOutput): void {
    this.advance(now, out);
    this.#isCut = true;
  }

  /** Plugs it in again; what was inside is gone. */
  uncut(now: Micros, out: LinkOutput): void {
    this.clear(now, out);
    this.#isCut = false;
  }

  /** Discards everything inside. */
  clear(now: Micros, out: LinkOutput): void {
    this.advance(now, out);
    while (this.#count > 0) this.#discard(this.#shift(), LINK_DROP.CUT, out);
    while (this.#flying.length > 0) this.#discard(this.#flying.shift(), LINK_DROP.CUT, out);
    this.#clock = now;
  }

  #take(shape: LinkShape): void {
    if (shape.trace !== this.#shape.trace) this.#traceIndex = 0;
    if (shape.rate !== this.#shape.rate || shape.trace !== this.#shape.trace) this.#speed = shape.rate / 8e6;
    if (shape.lose !== this.#shape.lose) this.#lose = new Set(shape.lose);
    this.#shape = shape;
  }

  /** Returns the cause for which a packet is turned away at the entry, or `NONE`. */
  #refuse(now: Micros, number: number, wire: number): number {
    const shape = this.#shape;
    if (this.#isCut) return LINK_DROP.CUT;
    if (number >= shape.endAfter) return LINK_DROP.ENDED;
    if (wire - shape.overhead > shape.mtu) return LINK_DROP.MTU;
    if (shape.policer && !this.#tokens.take(now, wire, shape.policer)) return LINK_DROP.POLICER;
    if (this.#count >= shape.queuePackets) return LINK_DROP.QUEUE;
    const backlog = this.queuedBytes;
    if (backlog > 0 && (backlog + wire > shape.queueBytes || backlog / this.#speed > shape.queueTime))
      return LINK_DROP.QUEUE;
    return LINK_DROP.NONE;
  }

  /** Runs the rate stage up to `now`, through every change of the trace on the way. */
  #serve(now: Micros, out: LinkOutput): void {
    for (;;) {
      const change = this.#shape.trace[this.#traceIndex];
      const until = change && change[0] < now ? change[0] : now;
      this.#serveAtOneRate(until, out);
      if (!change || change[0] > now) return;
      this.#speed = change[1] / 8e6;
      this.#traceIndex++;
      if (until === now && this.#shape.trace[this.#traceIndex] === undefined) return;
    }
  }

  #serveAtOneRate(until: Micros, out: LinkOutput): void {
    while (this.#count > 0) {
      const finish = this.#finish();
      if (finish > until) {
        if (until > this.#clock) this.#remaining -= (until - this.#clock) * this.#speed;
        this.#clock = Math.max(this.#clock, until);
        return;
      }
      this.#clock = finish;
      this.#remaining = 0;
      const release = this.#release(finish);
      if (release > until) return;
      this.#occupySlot(release);
      const number = this.#numbers[this.#head & (this.#numbers.length - 1)] as number;
      this.#depart(this.#shift(), number, release, out);
    }
    this.#clock = Math.max(this.#clock, until);
  }

  /** Returns when the head's last bit has been sent, at the present rate. */
  #finish(): Micros {
    return this.#remaining <= 0 ? this.#clock : this.#clock + this.#remaining / this.#speed;
  }

  /** Returns when a packet ready at `time` may leave: at once, or in the next slot with room. */
  #release(time: Micros): Micros {
    const slots = this.#shape.slots;
    if (!slots || time === NEVER) return time;
    const slot = Math.max(this.#slot, Math.ceil(time / slots.interval));
    return (slot === this.#slot && this.#slotUsed >= slots.packets ? slot + 1 : slot) * slots.interval;
  }

  #occupySlot(release: Micros): void {
    const slots = this.#shape.slots;
    if (!slots) return;
    const slot = Math.round(release / slots.interval);
    this.#slotUsed = slot === this.#slot ? this.#slotUsed + 1 : 1;
    this.#slot = slot;
  }

  /** Lets the packet leave the rate stage at `time`: lost, or on its way. */
  #depart(id: number, number: number, time: Micros, out: LinkOutput): void {
    const cause = this.#loseNow(number);
    if (cause !== LINK_DROP.NONE) {
      this.#discard(id, cause, out);
      return;
    }
    const { delay, jitter, reorder } = this.#shape;
    let exit = time + Math.max(0, jitter === 0 ? delay : delay + this.#jitter());
    if (!reorder) exit = Math.max(exit, this.#lastExit);
    this.#lastExit = Math.max(exit, this.#lastExit);
    this.#flying.push(exit, id);
  }

  #jitter(): Micros {
    const { jitter, jitterLaw } = this.#shape;
    return jitter * (jitterLaw === "normal" ? this.#jitterRandom.normal() : this.#jitterRandom.unit() * 2 - 1);
  }

  #loseNow(number: number): number {
    const { bursts, loss } = this.#shape;
    if (this.#isCut) return LINK_DROP.CUT;
    if (this.#lose.size > 0 && this.#lose.has(number)) return LINK_DROP.LISTED;
    if (loss > 0 && this.#random.chance(loss)) return LINK_DROP.RANDOM;
    return bursts && this.#bursts.loses(this.#random, bursts) ? LINK_DROP.BURST : LINK_DROP.NONE;
  }

  #discard(id: number, cause: number, out: LinkOutput): void {
    this.#drop(cause);
    out.discard(id, cause);
  }

  #drop(cause: number): void {
    this.drops[cause] = (this.drops[cause] as number) + 1;
  }

  #enqueue(id: number, wire: number, number: number): void {
    if (this.#count === this.#ids.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#ids.length - 1);
    this.#ids[at] = id;
    this.#sizes[at] = wire;
    this.#numbers[at] = number;
    if (this.#count++ === 0) this.#remaining = wire;
    this.#backlog += wire;
    this.peakBacklog = Math.max(this.peakBacklog, this.queuedBytes);
  }

  #sizeAt(index: number): number {
    return this.#sizes[(this.#head + index) & (this.#sizes.length - 1)] as number;
  }

  #shift(): number {
    const id = this.#ids[this.#head] as number;
    this.#backlog -= this.#sizeAt(0);
    this.#head = (this.#head + 1) & (this.#ids.length - 1);
    this.#count--;
    this.#remaining = this.#count > 0 ? this.#sizeAt(0) : 0;
    return id;
  }

  #grow(): void {
    const size = this.#ids.length;
    const ids = new Int32Array(2 * size);
    const sizes = new Int32Array(2 * size);
    const numbers = new Float64Array(2 * size);
    for (let i = 0; i < size; i++) {
      const from = (this.#head + i) & (size - 1);
      ids[i] = this.#ids[from] as number;
      sizes[i] = this.#sizes[from] as number;
      numbers[i] = this.#numbers[from] as number;
    }
    this.#ids = ids;
    this.#sizes = sizes;
    this.#numbers = numbers;
    this.#head = 0;
  }
}
