// @hot
/**
 * Records which packet numbers a path has received, so that repeated ones are refused, and fills in acknowledgements. ACK and NACK follow the
 * dissertation (3.2.3): all up to ACK is received or given up; a hole that lasts half a round-trip time after a later datagram is given up, NACK
 * rises to the highest missing number and ACK grows past it. Ranges describe the exact state besides.
 */
import { type Micros, NEVER } from "../clock.ts";
import { type Ack, MAX_RANGES } from "../wire/ack.ts";

/** Packet numbers behind the largest that are recorded; 1 Gbit/s of full datagrams for 190 ms within one path. */
export const RECEIVE_WINDOW = 16_384;
const BITS = 32;
const WORDS = RECEIVE_WINDOW / BITS;
const WORD_MASK = WORDS - 1;
const FULL = 0xffffffff;
const REORDERING_MEMORY: Micros = 1_000_000;
/** Newest datagrams that a report describes where datagrams overtake each other, as there are too many holes to describe. */
const RECENT = 64;
/** Reports that describe each number, as some may be lost. */
const REPORTS_COVERED = 8;

export class ReceivedPackets {
  readonly #seen = new Uint32Array(WORDS);
  readonly #reported = new Float64Array(REPORTS_COVERED).fill(-1);
  #reports = 0;
  /** The numbers that arrived last, a ring; and the same in order, for a report. */
  readonly #recent = new Float64Array(RECENT);
  readonly #sorted = new Float64Array(RECENT);
  /** Every number up to this one is received or given up; -1 at first. */
  ack = -1;
  /** The highest number given up; -1 while there is none. */
  nack = -1;
  largest = -1;
  /** The number that arrived last, and its time. */
  latest = -1;
  latestAt: Micros = 0;
  #overtakenAt: Micros = -NEVER;
  packets = 0;
  bytes = 0;
  #holeSince: Micros = NEVER;
  #holeMark = -1;

  /** True for a number that was not received and is not too old to know. */
  isNew(number: number): boolean {
    return number > this.largest || (number > this.largest - RECEIVE_WINDOW + BITS && !this.#has(number));
  }

  /** Notes a datagram; returns false for one received before or too old to know. */
  accept(number: number, now: Micros, bytes: number): boolean {
    if (!this.isNew(number)) return false;
    if (number > this.largest) {
      this.#clear(this.largest + 1, number);
      this.largest = number;
    }
    if (number < this.largest) this.#overtakenAt = now;
    this.latest = number;
    this.latestAt = now;
    const word = (number / BITS) & WORD_MASK;
    this.#seen[word] = ((this.#seen[word] as number) | (1 << (number % BITS))) >>> 0;
    this.#recent[this.packets & (RECENT - 1)] = number;
    this.packets++;
    this.bytes += bytes;
    if (number === this.ack + 1) this.#grow();
    if (this.ack === this.largest) this.#holeSince = NEVER;
    else if (this.#holeSince === NEVER) this.#open(now);
    return true;
  }

  /** True if datagrams overtook each other lately: a hole is no sign of a loss then. */
  isReordering(now: Micros): boolean {
    return now - this.#overtakenAt < REORDERING_MEMORY;
  }

  /** Numbers up to the largest that did not arrive, or not yet. */
  get missing(): number {
    return this.largest + 1 - this.packets;
  }

  /** True while a number below the largest is missing. */
  get hasHole(): boolean {
    return this.#holeSince !== NEVER;
  }

  /** Returns when the present hole is to be given up. */
  giveUpAt(wait: Micros): Micros {
    return this.#holeSince + wait;
  }

  /** Gives up the numbers missing when the hole was noticed, if its time has come; returns true if NACK rose. */
  giveUp(now: Micros, wait: Micros): boolean {
    if (now < this.giveUpAt(wait)) return false;
    let missing = this.#holeMark - 1;
    while (missing > this.ack && this.#has(missing)) missing--;
    const rose = missing > this.ack;
    if (rose) {
      this.nack = missing;
      this.ack = missing;
    }
    this.#grow();
    if (this.ack === this.largest) this.#holeSince = NEVER;
    else this.#open(now);
    return rose;
  }

  /** Fills in the message except its index. */
  report(out: Ack, now: Micros, maxRanges = MAX_RANGES): void {
    out.ack = this.ack;
    out.nack = this.nack;
    out.largest = this.largest;
    out.latest = this.latest;
    out.receivedAt = this.latestAt % 0x1_0000_0000;
    out.delay = now - this.latestAt;
    out.packets = this.packets;
    out.bytes = this.bytes;
    const slot = this.#reports++ % REPORTS_COVERED;
    if (this.isReordering(now)) this.#fillRecent(out, maxRanges);
    else this.#fillRanges(out, this.#reported[slot] as number, maxRanges);
    this.#reported[slot] = this.ack;
  }

  /** Fills in runs and gaps of the numbers that arrived last. */
  #fillRecent(out: Ack, maxRanges: number): void {
    const count = Math.min(RECENT, this.packets);
    const sorted = this.#sorted;
    sorted.set(this.#recent);
    if (count < RECENT) sorted.fill(-1, count);
    sorted.sort();
    let n = 0;
    let at = this.largest;
    for (let i = RECENT - 1; i >= RECENT - count && n < maxRanges; n++) {
      const top = sorted[i] as number;
      let bottom = top;
      for (i--; i >= RECENT - count && sorted[i] === bottom - 1; i--) bottom--;
      if (this.largest - bottom >= RECEIVE_WINDOW) break;
      out.pairs[2 * n] = at - top;
      out.pairs[2 * n + 1] = top - bottom + 1;
      at = bottom - 1;
    }
    out.ranges = n;
  }

  /** Runs and gaps from the largest down to `floor`. */
  #fillRanges(out: Ack, floor: number, maxRanges: number): void {
    const bottom = Math.max(floor, this.largest - RECEIVE_WINDOW + 2 * BITS);
    let n = 0;
    let at = this.largest;
    while (at > bottom && n < maxRanges) {
      const top = at;
      while (at > bottom && !this.#has(at)) at--;
      const gap = top - at;
      if (at <= bottom) break;
      const start = at;
      at = this.#runEnd(at, bottom);
      out.pairs[2 * n] = gap;
      out.pairs[2 * n + 1] = start - at;
      n++;
    }
    out.ranges = n;
  }

  /** Returns the first number below `from` that is missing, or `bottom`. */
  #runEnd(from: number, bottom: number): number {
    let at = from;
    while (at > bottom) {
      if (at % BITS === BITS - 1 && at - BITS >= bottom && this.#seen[(at / BITS) & WORD_MASK] === FULL) at -= BITS;
      else if (this.#has(at)) at--;
      else break;
    }
    return at;
  }

  #has(number: number): boolean {
    return ((this.#seen[(number / BITS) & WORD_MASK] as number) & (1 << (number % BITS))) !== 0;
  }

  #grow(): void {
    while (this.ack < this.largest && this.#has(this.ack + 1)) this.ack++;
  }

  #open(now: Micros): void {
    this.#holeSince = now;
    this.#holeMark = this.largest;
  }

  /** Forgets the numbers from `from` to `to`, which the ring now stands for, and lets ACK keep up with the window. */
  #clear(from: number, to: number): void {
    if (to - from >= RECEIVE_WINDOW) this.#seen.fill(0);
    else {
      for (let number = from; number <= to; number++) {
        if (number % BITS === 0 && number + BITS - 1 <= to) {
          this.#seen[(number / BITS) & WORD_MASK] = 0;
          number += BITS - 1;
        } else {
          const word = (number / BITS) & WORD_MASK;
          this.#seen[word] = ((this.#seen[word] as number) & ~(1 << (number % BITS))) >>> 0;
        }
      }
    }
    const lowest = to - RECEIVE_WINDOW + BITS;
    if (this.ack < lowest) {
      this.ack = lowest;
      this.nack = lowest;
    }
  }
}
