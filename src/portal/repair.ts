// @hot
/**
 * Repair of losses: a packet whose flow profits is kept until its datagram is acknowledged, and sent again by the best path when that is
 * lost, a few times and not for long. What is given up is told to the peer, so that nothing waits for it.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { Ring } from "../memory/ring.ts";
import type { SlotFate } from "../path/loss.ts";
import { CLASS } from "../wire/messages.ts";

const MAX_ATTEMPTS = 4;
/** Keeping stops when so little of the arena is free. */
const RESERVE_SHARE = 1 / 4;
const MAX_ABANDONED = 256;

export class Repair implements SlotFate {
  readonly #pool: PacketPool;
  readonly #queue: Ring;
  /** Sequences given up, to be told: bucket and sequence in turn. */
  readonly #abandoned = new Ring(2 * MAX_ABANDONED);
  /** How old a packet may become, µs from its first sending. */
  patience: Micros = MICROS_PER_SECOND / 5;
  now: Micros = 0;
  repaired = 0;
  givenUp = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
    this.#queue = new Ring(pool.count);
  }

  /** Packets that wait to be sent again. */
  get length(): number {
    return this.#queue.length;
  }

  /** Whether a packet about to be sent is to be kept. */
  keeps(slot: Slot): boolean {
    const pool = this.#pool;
    return pool.class[slot] === CLASS.ORDERED && pool.free > pool.count * RESERVE_SHARE;
  }

  /** The fate of packets that must not be sent again. */
  readonly forgets: SlotFate = {
    onDelivered: (slot) => this.#pool.release(slot),
    onLost: (slot) => this.#pool.release(slot),
  };

  onDelivered(slot: Slot): void {
    this.#pool.release(slot);
  }

  onLost(slot: Slot): void {
    if (!this.#isWorthIt(slot) || !this.#queue.push(slot)) this.#giveUp(slot);
  }

  /** Sends nothing of what waits: the peer that would know a repeat is gone. */
  clear(): void {
    for (let slot = this.#queue.shift(); slot >= 0; slot = this.#queue.shift()) this.#pool.release(slot);
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
    return (
      (this.#pool.attempts[slot] as number) < MAX_ATTEMPTS &&
      this.now - (this.#pool.time[slot] as number) < this.patience
    );
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
