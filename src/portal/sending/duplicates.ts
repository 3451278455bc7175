// @hot
/**
 * Duplicates: packets of sparse flows, sent once more by the next best path when that is idle, so that a loss or a delay on one path does not show.
 * The receiver drops the later one by its sequence. They take a small share of a path's rate, and nothing where traffic is paid for.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import { Ring } from "../../memory/ring.ts";
import type { Path } from "../../path/path.ts";
import { sparseCost } from "../../scheduler/sparse-path.ts";
import { TokenBucket } from "../../token-bucket.ts";
import { MAX_PATHS } from "../path-table.ts";

const WAITING = 64;
/** Age up to which a packet is duplicated. */
const LIFETIME: Micros = 20_000;
/** Share of a path's rate for duplicates, and the bytes that may accumulate of it: two full packets. */
const BUDGET = 0.05;
const BURST = 3_000;
/** Bytes per second assumed of a path whose controller estimates no rate. */
const UNKNOWN_RATE = 1_250_000;
/** A path that delivers later than this after the carrier is no use: a retransmission would arrive before. */
const USEFUL: Micros = 150_000;

export class Duplicates {
  /** Duplicates sent. */
  sent = 0;
  readonly #pool: PacketPool;
  readonly #paths: readonly Path[];
  readonly #slots = new Ring(WAITING);
  /** Number of the path that carried each packet. */
  readonly #carriers = new Ring(WAITING);
  /** Bytes of duplicates that each path may send now. */
  readonly #bytes = Array.from({ length: MAX_PATHS }, () => new TokenBucket(0));

  /** @param paths the portal's, live */
  constructor(pool: PacketPool, paths: readonly Path[]) {
    this.#pool = pool;
    this.#paths = paths;
  }

  /** Adds a packet of a sparse flow that `path` is sending. */
  offer(slot: Slot, path: Path): void {
    if (this.#paths.length < 2) return;
    if (this.#slots.length >= WAITING) this.#shift();
    this.#pool.retain(slot);
    this.#slots.push(slot);
    this.#carriers.push(path.id);
  }

  /** True if a packet waits that `path`, while idle, is to duplicate now. */
  wants(now: Micros, path: Path): boolean {
    if (this.#slots.length === 0 || path.limits.isMetered || !path.isMeasured) return false;
    this.discardStale(now);
    const slot = this.#slots.peek();
    if (slot < 0 || !this.#isNextBest(path, this.#carriers.peek())) return false;
    return this.#refill(now, path) > 0;
  }

  /** Returns the packet to send, now the caller's; `NO_SLOT` for none. */
  next(now: Micros, path: Path): Slot {
    if (!this.wants(now, path)) return NO_SLOT;
    this.sent++;
    this.#carriers.shift();
    const slot = this.#slots.shift();
    (this.#bytes[path.id] as TokenBucket).spend(this.#pool.length[slot] as number);
    return slot;
  }

  /** Discards what is not worth duplicating any more, also while no path may duplicate and so none asks. */
  discardStale(now: Micros): void {
    while (this.#slots.length > 0 && this.#isStale(now, this.#slots.peek())) this.#shift();
  }

  /** Discards everything. */
  clear(): void {
    while (this.#slots.length > 0) this.#shift();
  }

  #shift(): void {
    this.#carriers.shift();
    this.#pool.release(this.#slots.shift());
  }

  #isStale(now: Micros, slot: Slot): boolean {
    return this.#pool.isSettled(slot) || now - (this.#pool.time[slot] as number) > LIFETIME;
  }

  /** True if `path` is the best but for the carrier, and not too late after it. */
  #isNextBest(path: Path, carrier: number): boolean {
    if (path.id === carrier) return false;
    const cost = sparseCost(path);
    for (let i = 0; i < this.#paths.length; i++) {
      const other = this.#paths[i] as Path;
      if (!other.isUp || other.metric !== path.metric || !other.isMeasured) continue;
      if (other.id === carrier) {
        if (path.arrival - other.arrival > USEFUL) return false;
      } else if (!other.limits.isMetered && sparseCost(other) < cost) return false;
    }
    return true;
  }

  /** Returns the bytes that `path` may send now; the last packet may overdraw them. */
  #refill(now: Micros, path: Path): number {
    const { id, estimate } = path;
    const rate = BUDGET * (Number.isFinite(estimate) ? estimate : UNKNOWN_RATE);
    return (this.#bytes[id] as TokenBucket).fill(now, rate, BURST);
  }
}
