// @hot
/**
 * Reassembles fragmented packets. A fragment has its number, how many there are and the length of the packet, and fragments of a packet
 * have consecutive packet numbers: so no two can overlap, and path, first packet number and number name a fragment. An incomplete packet
 * is dropped after `FRAGMENT_TIMEOUT`.
 */
import { type Micros, NEVER } from "../../clock.ts";
import { DROP, type DropCounters } from "../../drops.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import type { Fragment } from "../../wire/fragment.ts";

/** An incomplete packet is dropped after this time, µs: it was retransmitted meanwhile, or never will be. */
const FRAGMENT_TIMEOUT: Micros = 1_000_000;
/** The arena's slots divided by this may hold incomplete packets. */
const SHARE = 8;

export class Reassembly {
  readonly #pool: PacketPool;
  readonly #drops: DropCounters;
  readonly #mask: number;
  /** Incomplete packets, each at a place given by path and first packet number; a new one replaces an older one. */
  readonly #slots: Int32Array;
  readonly #paths: Uint32Array;
  readonly #firsts: Float64Array;
  readonly #counts: Uint8Array;
  /** Fragments that have arrived, a bit each. */
  readonly #seen: Uint16Array;
  readonly #since: Float64Array;
  #waiting = 0;
  /** Time of the next search for incomplete packets that have waited too long. */
  #sweepAt: Micros = NEVER;

  constructor(pool: PacketPool, drops: DropCounters) {
    this.#pool = pool;
    this.#drops = drops;
    const size = 1 << Math.floor(Math.log2(Math.max(1, pool.count / SHARE)));
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(NO_SLOT);
    this.#paths = new Uint32Array(size);
    this.#firsts = new Float64Array(size);
    this.#counts = new Uint8Array(size);
    this.#seen = new Uint16Array(size);
    this.#since = new Float64Array(size);
  }

  /** Packets that wait for fragments. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes the bytes of a fragment, which begin at `at` in the arena.
   * @param path receiver index, @param number packet number of the fragment's datagram
   * @returns the whole packet, the caller's, or `NO_SLOT` while something is missing
   */
  add(now: Micros, path: number, number: number, fragment: Fragment, at: number): Slot {
    const pool = this.#pool;
    const first = number - fragment.number;
    const i = (first + Math.imul(path, 0x9e3779b1)) & this.#mask;
    let slot = this.#slots[i] as number;
    if (slot !== NO_SLOT && !this.#isOf(i, path, first, fragment)) {
      this.#drop(i);
      slot = NO_SLOT;
    }
    if (slot === NO_SLOT) slot = this.#open(now, i, path, first, fragment);
    if (slot === NO_SLOT) return slot;
    const to = (pool.start[slot] as number) + fragment.offset;
    pool.bytes.copyWithin(to, at, at + fragment.size);
    const seen = (this.#seen[i] as number) | (1 << fragment.number);
    this.#seen[i] = seen;
    if (seen !== (1 << fragment.count) - 1) return NO_SLOT;
    this.#slots[i] = NO_SLOT;
    this.#waiting--;
    return slot;
  }

  /** Drops incomplete packets that have waited too long. */
  handleTimeout(now: Micros): void {
    if (now < this.#sweepAt) return;
    for (let i = 0; i <= this.#mask; i++) {
      if (this.#slots[i] !== NO_SLOT && now - (this.#since[i] as number) >= FRAGMENT_TIMEOUT) this.#drop(i);
    }
    this.#sweepAt = this.#waiting > 0 ? now + FRAGMENT_TIMEOUT : NEVER;
  }

  deadline(): Micros {
    return this.#sweepAt;
  }

  #open(now: Micros, i: number, path: number, first: number, fragment: Fragment): Slot {
    const pool = this.#pool;
    const slot = pool.take();
    if (slot === NO_SLOT) {
      this.#drops.count(DROP["no-slot"]);
      return slot;
    }
    pool.length[slot] = fragment.length;
    pool.flow[slot] = fragment.bucket;
    pool.class[slot] = fragment.class;
    pool.sequence[slot] = fragment.sequence;
    this.#slots[i] = slot;
    this.#paths[i] = path;
    this.#firsts[i] = first;
    this.#counts[i] = fragment.count;
    this.#seen[i] = 0;
    this.#since[i] = now;
    this.#waiting++;
    if (this.#sweepAt === NEVER) this.#sweepAt = now + FRAGMENT_TIMEOUT;
    return slot;
  }

  /** Returns true if a fragment belongs to the packet at place `i`, in every field that a peer may have made up. */
  #isOf(i: number, path: number, first: number, fragment: Fragment): boolean {
    const pool = this.#pool;
    const slot = this.#slots[i] as number;
    return (
      this.#paths[i] === path &&
      this.#firsts[i] === first &&
      this.#counts[i] === fragment.count &&
      pool.length[slot] === fragment.length &&
      pool.flow[slot] === fragment.bucket &&
      pool.class[slot] === fragment.class &&
      pool.sequence[slot] === fragment.sequence
    );
  }

  #drop(i: number): void {
    this.#drops.count(DROP["fragment-incomplete"]);
    this.#pool.release(this.#slots[i] as number);
    this.#slots[i] = NO_SLOT;
    this.#waiting--;
  }
}
