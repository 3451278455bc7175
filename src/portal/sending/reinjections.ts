// @hot
/** Packets that may be reinjected: sent on another path than the one that carried them, the oldest first, each once, while they may still arrive before a retransmission. */
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
  /** Packets handed out to be sent. */
  taken = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** Adds a packet that `path` carries now. The newest push out the oldest. */
  offer(now: Micros, slot: Slot, path: number): void {
    if (this.length === ENTRIES) this.#pool.release(this.#shift());
    const i = (this.#head + this.length++) & (ENTRIES - 1);
    this.#pool.retain(slot);
    this.#slots[i] = slot;
    this.#carriers[i] = path;
    this.#offeredAt[i] = now;
  }

  /** Returns the oldest packet if another path than `path` carried it, now the caller's; otherwise `NO_SLOT`. */
  next(now: Micros, path: number, lifetime: Micros): Slot {
    this.discardStale(now, lifetime);
    if (this.length === 0 || this.#carriers[this.#head] === path) return NO_SLOT;
    this.taken++;
    return this.#shift();
  }

  /** Returns the oldest packet, for any path, if it is unacknowledged `overdueAfter` after it was sent; now the caller's; otherwise `NO_SLOT`. */
  nextOverdue(now: Micros, overdueAfter: Micros, lifetime: Micros): Slot {
    this.discardStale(now, lifetime);
    if (now < this.overdueAt(overdueAfter)) return NO_SLOT;
    this.taken++;
    return this.#shift();
  }

  /** Returns when the oldest packet becomes overdue; `NEVER` without one. */
  overdueAt(overdueAfter: Micros): Micros {
    return this.length === 0 ? NEVER : (this.#offeredAt[this.#head] as number) + overdueAfter;
  }

  /** Releases packets that arrived, were declared lost, or are too old. */
  discardStale(now: Micros, lifetime: Micros): void {
    while (this.length > 0) {
      const isYoung = now - (this.#offeredAt[this.#head] as number) <= lifetime;
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
