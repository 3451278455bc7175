// @hot
/**
 * Retransmissions: a packet whose flow profits is kept until its datagram is acknowledged, and sent again when that is declared lost, by the best
 * path, a few times and not for long. Packets abandoned after that are reported to the peer, so that nothing waits for them.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import { Ring } from "../../memory/ring.ts";
import type { DeliveryListener } from "../../path/loss.ts";
import { CLASS } from "../../wire/data.ts";
import type { TunnelEstimate } from "../tunnel-estimate.ts";
import { FragmentedPackets } from "./fragments.ts";
import { Reinjections } from "./reinjections.ts";

/** Most transmissions of a packet. */
export const MAX_ATTEMPTS = 8;
/** Most transmissions of a packet that nothing waits for. */
const SPARSE_ATTEMPTS = 3;
/** Age up to which a packet of a conversation is retransmitted, once: the way from mouth to ear may take 150 ms in all (ITU-T G.114). */
const REALTIME_LIFETIME: Micros = 60_000;
const REALTIME_ATTEMPTS = 2;
/** Share of the arena below which, when no more is free, packets are not kept. */
const RESERVE_SHARE = 1 / 4;
/** Abandoned packets not yet reported. */
const MAX_ABANDONED = 256;

/** Times up to which packets are worth sending again. */
export type ResendTimes = Pick<TunnelEstimate, "retransmissionLifetime" | "reinjectionLifetime" | "overdueAfter">;

export class Retransmissions implements DeliveryListener {
  readonly #pool: PacketPool;
  readonly #times: ResendTimes;
  readonly #queue: Ring;
  readonly #fragmented: FragmentedPackets;
  /** Packets abandoned and not yet reported: bucket and sequence in turn. */
  readonly #abandoned = new Ring(2 * MAX_ABANDONED);
  /** Packets sent once by lossy paths, for paths that have nothing else to send. */
  readonly reinjections: Reinjections;
  /** Retransmitted packets: a flow waits for them, so they are reinjected before anything new. */
  readonly urgentReinjections: Reinjections;
  /** Packets sent again, and packets abandoned. */
  retransmitted = 0;
  abandoned = 0;

  /** @param times may change at any time */
  constructor(pool: PacketPool, times: ResendTimes) {
    this.#pool = pool;
    this.#times = times;
    this.#queue = new Ring(pool.count);
    this.#fragmented = new FragmentedPackets(pool.count);
    this.reinjections = new Reinjections(pool);
    this.urgentReinjections = new Reinjections(pool);
  }

  /** Packets that wait to be sent again. */
  get length(): number {
    return this.#queue.length;
  }

  /** Keeps a packet about to be sent in so many fragments; returns the number to keep with each datagram, or `NO_SLOT`. */
  keep(slot: Slot, fragments: number): number {
    const pool = this.#pool;
    if (pool.class[slot] === CLASS.FLEETING || pool.free <= pool.count * RESERVE_SHARE) return NO_SLOT;
    const kept = fragments === 1 ? slot : this.#fragmented.add(slot, fragments);
    if (kept === NO_SLOT) return kept;
    pool.retain(slot);
    pool.inFlight[slot] = (pool.inFlight[slot] as number) + 1;
    return kept;
  }

  /** Takes packets that must not be sent again. */
  readonly discards: DeliveryListener = {
    onDelivered: (kept) => this.#discard(this.#fragmented.delivered(kept)),
    onLost: (_now, kept) => this.#discard(this.#fragmented.lost(kept)),
  };

  #discard(slot: Slot): void {
    if (slot !== NO_SLOT) this.#pool.release(slot);
  }

  onDelivered(kept: number): void {
    const pool = this.#pool;
    const slot = this.#fragmented.delivered(kept);
    if (slot === NO_SLOT) return;
    pool.flags[slot] = (pool.flags[slot] as number) | PACKET_FLAG.DELIVERED;
    pool.inFlight[slot] = (pool.inFlight[slot] as number) - 1;
    pool.release(slot);
  }

  onLost(now: Micros, kept: number): void {
    const pool = this.#pool;
    const slot = this.#fragmented.lost(kept);
    if (slot === NO_SLOT) return;
    const inFlight = (pool.inFlight[slot] as number) - 1;
    pool.inFlight[slot] = inFlight;
    // Another datagram delivered it, or still may.
    if (inFlight > 0 || pool.isDelivered(slot)) return pool.release(slot);
    if (!this.#isWorthwhile(now, slot) || !this.#queue.push(slot)) this.#abandon(slot);
  }

  /** Discards what is not worth reinjecting any more, also while no path may reinject and so none asks. */
  handleTimeout(now: Micros): void {
    const { overdueAfter, reinjectionLifetime } = this.#times;
    this.reinjections.discardStale(now, reinjectionLifetime);
    this.urgentReinjections.discardStale(now, overdueAfter + reinjectionLifetime);
  }

  /** Discards everything and reports nothing: the peer that would know of it is gone. */
  clear(): void {
    for (let slot = this.#queue.shift(); slot >= 0; slot = this.#queue.shift()) this.#pool.release(slot);
    this.reinjections.clear();
    this.urgentReinjections.clear();
    this.#abandoned.clear();
  }

  /** Returns the next packet to send again, now the caller's; `NO_SLOT` for none. */
  next(now: Micros): Slot {
    for (;;) {
      const slot = this.#queue.shift();
      if (slot < 0) return NO_SLOT;
      if (this.#isWorthwhile(now, slot)) {
        this.retransmitted++;
        return slot;
      }
      this.#abandon(slot);
    }
  }

  /** Packets reinjected. */
  get reinjected(): number {
    return this.reinjections.taken + this.urgentReinjections.taken;
  }

  get hasAbandoned(): boolean {
    return this.#abandoned.length > 0;
  }

  /** Returns the bucket of the next abandoned packet, -1 for none; `abandonedSequence` must follow. */
  abandonedBucket(): number {
    return this.#abandoned.shift();
  }

  abandonedSequence(): number {
    return this.#abandoned.shift();
  }

  #isWorthwhile(now: Micros, slot: Slot): boolean {
    const deliveryClass = this.#pool.class[slot] as number;
    const attempts = this.#pool.attempts[slot] as number;
    const { retransmissionLifetime } = this.#times;
    const age = now - (this.#pool.time[slot] as number);
    if (deliveryClass === CLASS.ORDERED) return attempts < MAX_ATTEMPTS && age < retransmissionLifetime;
    if (deliveryClass === CLASS.REALTIME) return attempts < REALTIME_ATTEMPTS && age < REALTIME_LIFETIME;
    return attempts < SPARSE_ATTEMPTS && age < retransmissionLifetime;
  }

  #abandon(slot: Slot): void {
    this.abandoned++;
    if (this.#abandoned.length < 2 * MAX_ABANDONED) {
      this.#abandoned.push(this.#pool.flow[slot] as number);
      this.#abandoned.push(this.#pool.sequence[slot] as number);
    }
    this.#pool.release(slot);
  }
}
