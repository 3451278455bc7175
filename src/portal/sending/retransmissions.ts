// @hot
/**
 * Retransmissions of losses: a packet whose flow profits is kept until its datagram is acknowledged, and sent again by the best path when that is
 * lost, a few times and not for long. What is given up is told to the peer, so that nothing waits for it.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import { Ring } from "../../memory/ring.ts";
import type { DeliveryListener } from "../../path/loss.ts";
import { CLASS } from "../../wire/data.ts";
import type { TunnelEstimate } from "../tunnel-estimate.ts";
import { Parts } from "./fragments.ts";
import { Reinjections } from "./reinjections.ts";

/** Sendings of a packet in all. */
export const MAX_ATTEMPTS = 8;
/** Most transmissions of a packet of a sparse flow in all, as nobody waits for it. */
const SPARSE_ATTEMPTS = 3;
/**
 * Lifetime of a realtime packet, µs: it is retransmitted once, if that comes within the delay of a conversation (ITU-T G.114: 150 ms from
 * mouth to ear in all).
 */
const REALTIME_PATIENCE: Micros = 60_000;
/** Keeping stops when so little of the arena is free. */
const RESERVE_SHARE = 1 / 4;
const MAX_ABANDONED = 256;

/** Lifetimes of packets to be sent again. */
export type ResendTimes = Pick<TunnelEstimate, "retransmissionLifetime" | "reinjectionLifetime" | "overdueAfter">;

export class Retransmissions implements DeliveryListener {
  readonly #pool: PacketPool;
  readonly #times: ResendTimes;
  readonly #queue: Ring;
  readonly #parts: Parts;
  /** Sequences given up, to be told: bucket and sequence in turn. */
  readonly #abandoned = new Ring(2 * MAX_ABANDONED);
  /** Sent by paths that lose some, for paths that have nothing else to do; and sent again, so that a flow waits for them: before all else. */
  readonly reinjections: Reinjections;
  readonly resends: Reinjections;
  retransmitted = 0;
  abandoned = 0;

  /** @param times may change at any time */
  constructor(pool: PacketPool, times: ResendTimes) {
    this.#pool = pool;
    this.#times = times;
    this.#queue = new Ring(pool.count);
    this.#parts = new Parts(pool.count);
    this.reinjections = new Reinjections(pool);
    this.resends = new Reinjections(pool);
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
    pool.inFlight[slot] = (pool.inFlight[slot] as number) + 1;
    return kept;
  }

  /** Takes packets that must not be sent again. */
  readonly discards: DeliveryListener = {
    onDelivered: (kept) => this.#discard(this.#parts.delivered(kept)),
    onLost: (_now, kept) => this.#discard(this.#parts.lost(kept)),
  };

  #discard(slot: Slot): void {
    if (slot !== NO_SLOT) this.#pool.release(slot);
  }

  onDelivered(kept: number): void {
    const pool = this.#pool;
    const slot = this.#parts.delivered(kept);
    if (slot === NO_SLOT) return;
    pool.flags[slot] = (pool.flags[slot] as number) | PACKET_FLAG.DELIVERED;
    pool.inFlight[slot] = (pool.inFlight[slot] as number) - 1;
    pool.release(slot);
  }

  onLost(now: Micros, kept: number): void {
    const pool = this.#pool;
    const slot = this.#parts.lost(kept);
    if (slot === NO_SLOT) return;
    const inFlight = (pool.inFlight[slot] as number) - 1;
    pool.inFlight[slot] = inFlight;
    // Another datagram carried it to the end, or may yet.
    if (inFlight > 0 || pool.isDelivered(slot)) return pool.release(slot);
    if (!this.#isWorthIt(now, slot) || !this.#queue.push(slot)) this.#giveUp(slot);
  }

  /** Lets go of what is not worth copying any more; also where no path may carry copies, and so none asks for one. */
  forgetReinjections(now: Micros): void {
    const { overdueAfter, reinjectionLifetime } = this.#times;
    this.reinjections.forget(now, reinjectionLifetime);
    this.resends.forget(now, overdueAfter + reinjectionLifetime);
  }

  /** Sends and tells nothing of what waits: the peer that would know of it is gone. */
  clear(): void {
    for (let slot = this.#queue.shift(); slot >= 0; slot = this.#queue.shift()) this.#pool.release(slot);
    this.reinjections.clear();
    this.resends.clear();
    this.#abandoned.clear();
  }

  /** Returns the next packet to send again, owned by the caller; -1 for none. */
  next(now: Micros): Slot {
    for (;;) {
      const slot = this.#queue.shift();
      if (slot < 0) return NO_SLOT;
      if (this.#isWorthIt(now, slot)) {
        this.retransmitted++;
        return slot;
      }
      this.#giveUp(slot);
    }
  }

  /** Reinjections sent. */
  get reinjected(): number {
    return this.reinjections.taken + this.resends.taken;
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

  #isWorthIt(now: Micros, slot: Slot): boolean {
    const deliveryClass = this.#pool.class[slot] as number;
    const attempts = this.#pool.attempts[slot] as number;
    const { retransmissionLifetime } = this.#times;
    const age = now - (this.#pool.time[slot] as number);
    if (deliveryClass === CLASS.ORDERED) return attempts < MAX_ATTEMPTS && age < retransmissionLifetime;
    if (deliveryClass === CLASS.REALTIME) return attempts < 2 && age < REALTIME_PATIENCE;
    return attempts < SPARSE_ATTEMPTS && age < retransmissionLifetime;
  }

  #giveUp(slot: Slot): void {
    this.abandoned++;
    if (this.#abandoned.length < 2 * MAX_ABANDONED) {
      this.#abandoned.push(this.#pool.flow[slot] as number);
      this.#abandoned.push(this.#pool.sequence[slot] as number);
    }
    this.#pool.release(slot);
  }
}
