// @hot
/** Packets of which a copy may go on another path than the one that carried them: the oldest first, each once, while it may still come sooner than a retransmissions. */
import { type Micros, NEVER } from "../../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../../memory/packet-pool.ts";

const ENTRIES = 1_024;

export class Reinjections {
  readonly #pool: PacketPool;
  readonly #slots = new Int32Array(ENTRIES);
  readonly #carriers = new Uint8Array(ENTRIES);
  readonly #offeredAt = new Float64Array(ENTRIES);
  #head = 0;
  length = 0;
  /** Reinjections taken. */
  taken = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** Offers a packet that was left on `path`. The newest push out the oldest. */
  offer(now: Micros, slot: Slot, path: number): void {
    if (this.length === ENTRIES) this.#pool.release(this.#shift());
    const i = (this.#head + this.length++) & (ENTRIES - 1);
    this.#pool.retain(slot);
    this.#slots[i] = slot;
    this.#carriers[i] = path;
    this.#offeredAt[i] = now;
  }

  /** Returns a packet that `path` may reinject, owned by the caller; -1 for none. */
  next(now: Micros, path: number, patience: Micros): Slot {
    this.forget(now, patience);
    if (this.length === 0 || this.#carriers[this.#head] === path) return NO_SLOT;
    this.taken++;
    return this.#shift();
  }

  /** Returns a packet that should have been acknowledged `wait` after it left, for any path; -1 for none. */
  nextOverdue(now: Micros, wait: Micros, patience: Micros): Slot {
    this.forget(now, patience);
    if (now < this.overdueAt(wait)) return NO_SLOT;
    this.taken++;
    return this.#shift();
  }

  /** Returns the time at which the oldest is overdue; `NEVER` without one. */
  overdueAt(wait: Micros): Micros {
    return this.length === 0 ? NEVER : (this.#offeredAt[this.#head] as number) + wait;
  }

  /** Lets go of what arrived, was taken for lost, or is too old. */
  forget(now: Micros, patience: Micros): void {
    while (this.length > 0) {
      const isYoung = now - (this.#offeredAt[this.#head] as number) <= patience;
      if (isYoung && !this.#pool.isSettled(this.#slots[this.#head] as number)) return;
      this.#pool.release(this.#shift());
    }
  }

  clear(): void {
    while (this.length > 0) this.#pool.release(this.#shift());
  }

  #shift(): Slot {
    const slot = this.#slots[this.#head] as number;
    this.#head = (this.#head + 1) & (ENTRIES - 1);
    this.length--;
    return slot;
  }
}
