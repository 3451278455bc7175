// @hot
/**
 * Repair of losses: a packet whose flow profits is kept until its datagram is acknowledged, and sent again by the best path when that is
 * lost, a few times and not for long. What is given up is told to the peer, so that nothing waits for it.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";
import type { SlotFate } from "../path/loss.ts";
import { CLASS } from "../wire/messages.ts";
import { Parts } from "./parts.ts";

const MAX_ATTEMPTS = 8;
/** What nobody waits for is worth less: sendings of a packet in all. */
const THIN_ATTEMPTS = 3;
/** What is spoken is repeated once, if that comes within a conversation's patience (ITU-T G.114: 150 ms from mouth to ear, all told). */
const REALTIME_PATIENCE: Micros = 60_000;
/** Keeping stops when so little of the arena is free. */
const RESERVE_SHARE = 1 / 4;
const MAX_ABANDONED = 256;
const COPIES = 1_024;

export class Repair implements SlotFate {
  readonly #pool: PacketPool;
  readonly #queue: Ring;
  readonly #parts: Parts;
  /** Sequences given up, to be told: bucket and sequence in turn. */
  readonly #abandoned = new Ring(2 * MAX_ABANDONED);
  /** Packets that may be copied, and the paths that carried them. */
  readonly #copies = new Ring(COPIES);
  readonly #carriers = new Ring(COPIES);
  /** A copy sent later than this would come no sooner than a repair. */
  copyPatience: Micros = MICROS_PER_SECOND / 50;
  copied = 0;
  /** How old a packet may become, µs from its first sending. */
  patience: Micros = MICROS_PER_SECOND / 5;
  now: Micros = 0;
  repaired = 0;
  givenUp = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
    this.#queue = new Ring(pool.count);
    this.#parts = new Parts(pool.count);
  }

  /** Packets that wait to be sent again. */
  get length(): number {
    return this.#queue.length;
  }

  /** Keeps a packet about to be sent in so many datagrams; what is kept with each of them, or `NO_SLOT`. */
  keep(slot: Slot, parts: number): number {
    const pool = this.#pool;
    if (pool.class[slot] === CLASS.FLEETING || pool.free <= pool.count * RESERVE_SHARE) return NO_SLOT;
    const kept = parts === 1 ? slot : this.#parts.open(slot, parts);
    if (kept === NO_SLOT) return kept;
    pool.retain(slot);
    pool.copies[slot] = (pool.copies[slot] as number) + 1;
    return kept;
  }

  /** The fate of packets that must not be sent again. */
  readonly forgets: SlotFate = {
    onDelivered: (kept) => this.#forget(this.#parts.delivered(kept)),
    onLost: (kept) => this.#forget(this.#parts.lost(kept)),
  };

  #forget(slot: Slot): void {
    if (slot !== NO_SLOT) this.#pool.release(slot);
  }

  onDelivered(kept: number): void {
    const pool = this.#pool;
    const slot = this.#parts.delivered(kept);
    if (slot === NO_SLOT) return;
    pool.flags[slot] = (pool.flags[slot] as number) | PACKET_FLAG.DELIVERED;
    pool.copies[slot] = (pool.copies[slot] as number) - 1;
    pool.release(slot);
  }

  onLost(kept: number): void {
    const pool = this.#pool;
    const slot = this.#parts.lost(kept);
    if (slot === NO_SLOT) return;
    const copies = (pool.copies[slot] as number) - 1;
    pool.copies[slot] = copies;
    // Another datagram carried it to the end, or may yet.
    if (copies > 0 || this.#isDelivered(slot)) return pool.release(slot);
    if (!this.#isWorthIt(slot) || !this.#queue.push(slot)) this.#giveUp(slot);
  }

  /** A packet left on a path that loses some: a copy of it may go on another path that has nothing else to do. */
  offerCopy(slot: Slot, path: number): void {
    this.#pool.retain(slot);
    if (!this.#copies.push(slot) || !this.#carriers.push(path)) {
      this.#pool.release(slot);
      this.#pool.release(this.#copies.shift());
      this.#carriers.shift();
    }
  }

  /** A packet worth copying on `path`, owned by the caller; -1 for none. */
  nextCopy(now: Micros, path: number): Slot {
    const pool = this.#pool;
    for (;;) {
      this.forgetCopies(now);
      const slot = this.#copies.peek();
      if (slot < 0 || this.#carriers.peek() === path) return NO_SLOT;
      this.#copies.shift();
      this.#carriers.shift();
      if ((pool.attempts[slot] as number) < MAX_ATTEMPTS) {
        this.copied++;
        return slot;
      }
      pool.release(slot);
    }
  }

  /** Lets go of what is not worth copying any more; also where no path may carry copies, and so none asks for one. */
  forgetCopies(now: Micros): void {
    for (let slot = this.#copies.peek(); slot >= 0 && this.#isStale(now, slot); slot = this.#copies.peek()) {
      this.#carriers.shift();
      this.#pool.release(this.#copies.shift());
    }
  }

  #isStale(now: Micros, slot: Slot): boolean {
    const { copies, time } = this.#pool;
    return this.#isDelivered(slot) || copies[slot] === 0 || now - (time[slot] as number) > this.copyPatience;
  }

  #isDelivered(slot: Slot): boolean {
    return ((this.#pool.flags[slot] as number) & PACKET_FLAG.DELIVERED) !== 0;
  }

  /** Sends and tells nothing of what waits: the peer that would know of it is gone. */
  clear(): void {
    for (const waiting of [this.#queue, this.#copies]) {
      for (let slot = waiting.shift(); slot >= 0; slot = waiting.shift()) this.#pool.release(slot);
    }
    this.#carriers.clear();
    this.#abandoned.clear();
  }

  /** The next packet to send again, owned by the caller; -1 for none. */
  next(now: Micros): Slot {
    this.now = now;
    for (;;) {
      const slot = this.#queue.shift();
      if (slot < 0) return NO_SLOT;
      if (this.#isWorthIt(slot)) {
        this.repaired++;
        return slot;
      }
      this.#giveUp(slot);
    }
  }

  get hasAbandoned(): boolean {
    return this.#abandoned.length > 0;
  }

  /** Bucket of the next packet given up, -1 for none; `abandonedSequence` must follow. */
  abandonedBucket(): number {
    return this.#abandoned.shift();
  }

  abandonedSequence(): number {
    return this.#abandoned.shift();
  }

  #isWorthIt(slot: Slot): boolean {
    const deliveryClass = this.#pool.class[slot] as number;
    const attempts = this.#pool.attempts[slot] as number;
    const age = this.now - (this.#pool.time[slot] as number);
    if (deliveryClass === CLASS.ORDERED) return attempts < MAX_ATTEMPTS && age < this.patience;
    if (deliveryClass === CLASS.REALTIME) return attempts < 2 && age < REALTIME_PATIENCE;
    return attempts < THIN_ATTEMPTS && age < this.patience;
  }

  #giveUp(slot: Slot): void {
    this.givenUp++;
    if (this.#abandoned.length < 2 * MAX_ABANDONED) {
      this.#abandoned.push(this.#pool.flow[slot] as number);
      this.#abandoned.push(this.#pool.sequence[slot] as number);
    }
    this.#pool.release(slot);
  }
}
