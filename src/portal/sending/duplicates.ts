// @hot
/**
 * Packets of sparse flows, carried a second time by the next best path when that has nothing else to do: what one path loses or holds up is there
 * all the same. The receiver drops the second one by its sequence. Only a small part of a path's rate goes into it, and nothing where traffic is paid for.
 */
import type { Micros } from "../../clock.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import { Ring } from "../../memory/ring.ts";
import type { Path } from "../../path/path.ts";
import { sparseCost } from "../../scheduler/sparse-path.ts";
import { TokenBucket } from "../../token-bucket.ts";
import { MAX_PATHS } from "../path-table.ts";

const WAITING = 64;
/** A path that is not idle within this time is not idle. */
const LATEST: Micros = 20_000;
/** Share of a path's rate for duplicates, and the most of it that may be saved up: two full packets. */
const BUDGET = 0.05;
const BURST = 3_000;
/** Stands for the rate of a path that something else controls. */
const UNKNOWN_RATE = 1_250_000;
/** Later than this after the best path, a repair would be there before. */
const USEFUL: Micros = 150_000;

export class Duplicates {
  /** Packets sent a second time. */
  sent = 0;
  readonly #pool: PacketPool;
  readonly #paths: readonly Path[];
  readonly #slots = new Ring(WAITING);
  /** The path that carried each. */
  readonly #carriers = new Ring(WAITING);
  /** Bytes each path may carry now. */
  readonly #bytes = Array.from({ length: MAX_PATHS }, () => new TokenBucket(0));

  /** @param paths the portal's, live */
  constructor(pool: PacketPool, paths: readonly Path[]) {
    this.#pool = pool;
    this.#paths = paths;
  }

  /** Offers a packet of a sparse flow that left on `path` for a duplicate; it is kept until it is acknowledged. */
  offer(slot: Slot, path: Path): void {
    if (this.#paths.length < 2) return;
    if (this.#slots.length >= WAITING) this.#shift();
    this.#pool.retain(slot);
    this.#slots.push(slot);
    this.#carriers.push(path.id);
  }

  /** True if a duplicate waits that `path`, having nothing else to send, is to carry now. */
  wants(now: Micros, path: Path): boolean {
    if (this.#slots.length === 0 || path.limits.isMetered || !path.isMeasured) return false;
    this.forget(now);
    const slot = this.#slots.peek();
    if (slot < 0 || !this.#isNextBest(path, this.#carriers.peek())) return false;
    return this.#refill(now, path) > 0;
  }

  /** Returns the packet to carry, owned by the caller; -1 for none. */
  next(now: Micros, path: Path): Slot {
    if (!this.wants(now, path)) return NO_SLOT;
    this.sent++;
    this.#carriers.shift();
    const slot = this.#slots.shift();
    (this.#bytes[path.id] as TokenBucket).spend(this.#pool.length[slot] as number);
    return slot;
  }

  /** Lets go of what is not worth carrying again any more; also where no path may do so, and so none asks. */
  forget(now: Micros): void {
    while (this.#slots.length > 0 && this.#isStale(now, this.#slots.peek())) this.#shift();
  }

  /** Sends nothing of what waits. */
  clear(): void {
    while (this.#slots.length > 0) this.#shift();
  }

  #shift(): void {
    this.#carriers.shift();
    this.#pool.release(this.#slots.shift());
  }

  #isStale(now: Micros, slot: Slot): boolean {
    return this.#pool.isSettled(slot) || now - (this.#pool.time[slot] as number) > LATEST;
  }

  /** True if `path` is the best there is without the carrier, and not too late after it. */
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

  /** Returns the bytes that `path` may carry now; a packet may overdraw them by a part of it. */
  #refill(now: Micros, path: Path): number {
    const { id, estimate } = path;
    const rate = BUDGET * (Number.isFinite(estimate) ? estimate : UNKNOWN_RATE);
    return (this.#bytes[id] as TokenBucket).fill(now, rate, BURST);
  }
}
