// @hot
/**
 * The order of one flow: a ring of early packets by sequence, what comes next, and which were delivered already.
 */
import { type Micros, NEVER } from "../clock.ts";
import { NO_SLOT, type Slot } from "../memory/packet-pool.ts";
import { SEQUENCE_MASK } from "../wire/data.ts";

const INITIAL = 64;
/** A ring larger than this is given back when nothing is in it: of thousands of flows few are deep at a time. */
const KEPT = 1_024;
/** Early packets of one flow that may be held; what comes further ahead pushes the oldest hole out. */
export const MAX_AHEAD = 8_192;
/** Stands in the ring for a packet that will not come. */
const ABANDONED = -2;
/** The same for one that was delivered ahead of its turn. */
const PASSED = -3;
const HALF = 0x800000;
/** Sequences behind the next one whose delivery is remembered, to tell late packets from repeats. */
const REMEMBERED = 2_048;

export class FlowOrder {
  bucket = -1;
  next = 0;
  held = 0;
  /** When the oldest hole is given up; `NEVER` without one. */
  deadline: Micros = NEVER;
  #slots = new Int32Array(INITIAL).fill(NO_SLOT);
  #mask = INITIAL - 1;
  /** Sequences ahead that are known not to come, or not to be waited for. */
  #marks = 0;
  readonly #delivered = new Uint32Array(REMEMBERED / 32);

  open(bucket: number): void {
    this.bucket = bucket;
    this.next = 0;
    this.held = 0;
    this.deadline = NEVER;
    this.#delivered.fill(0);
    if (this.#marks > 0) this.#slots.fill(NO_SLOT);
    this.#marks = 0;
  }

  /** How far `sequence` lies ahead of the next one; negative for behind. */
  distance(sequence: number): number {
    const d = (sequence - this.next) & SEQUENCE_MASK;
    return d >= HALF ? d - SEQUENCE_MASK - 1 : d;
  }

  /** Holds an early packet; false if one with its sequence is held or delivered already. `ahead` is positive, below `MAX_AHEAD`. */
  hold(slot: Slot, sequence: number, ahead: number): boolean {
    while (ahead > this.#mask) this.#grow();
    const i = sequence & this.#mask;
    const present = this.#slots[i] as number;
    if (present >= 0 || present === PASSED) return false;
    if (present === ABANDONED) this.#marks--;
    this.#slots[i] = slot;
    this.held++;
    return true;
  }

  /** The held packet whose turn it is, -1 if the next one is missing. */
  takeNext(): Slot {
    if (this.held === 0) return NO_SLOT;
    const i = this.next & this.#mask;
    const slot = this.#slots[i] as number;
    if (slot < 0) return NO_SLOT;
    this.#slots[i] = NO_SLOT;
    this.held--;
    return slot;
  }

  /** The held packet that comes first, -1 for none. */
  get firstHeld(): Slot {
    if (this.held === 0) return NO_SLOT;
    let sequence = this.next;
    while ((this.#slots[sequence & this.#mask] as number) < 0) sequence++;
    return this.#slots[sequence & this.#mask] as number;
  }

  /** Notes that an early packet will not come, for when its turn does. `ahead` is positive, below `MAX_AHEAD`. */
  abandon(sequence: number, ahead: number): void {
    while (ahead > this.#mask) this.#grow();
    const i = sequence & this.#mask;
    if (this.#slots[i] !== NO_SLOT) return;
    this.#slots[i] = ABANDONED;
    this.#marks++;
  }

  /** Notes that an early packet is delivered before its turn; false if it is held or was delivered. `ahead` as for `hold`. */
  pass(sequence: number, ahead: number): boolean {
    while (ahead > this.#mask) this.#grow();
    const i = sequence & this.#mask;
    const present = this.#slots[i] as number;
    if (present >= 0 || present === PASSED) return false;
    if (present === NO_SLOT) this.#marks++;
    this.#slots[i] = PASSED;
    return true;
  }

  get hasMarks(): boolean {
    return this.#marks > 0;
  }

  /** Goes past the next sequences as far as nobody waits for them. */
  skipMarks(): void {
    while (this.#marks > 0 && (this.#slots[this.next & this.#mask] as number) < NO_SLOT) this.advance(false);
  }

  /** Goes on to the sequence after `next`; `isDelivered` tells whether it was delivered or given up. */
  advance(isDelivered: boolean): void {
    const mark = this.#marks > 0 ? (this.#slots[this.next & this.#mask] as number) : NO_SLOT;
    if (mark < NO_SLOT) {
      this.#slots[this.next & this.#mask] = NO_SLOT;
      this.#marks--;
    }
    const bit = this.next & (REMEMBERED - 1);
    const mask = 1 << (bit & 31);
    const word = this.#delivered[bit >>> 5] as number;
    this.#delivered[bit >>> 5] = isDelivered || mark === PASSED ? word | mask : word & ~mask;
    this.next = (this.next + 1) & SEQUENCE_MASK;
  }

  /** A packet from behind: true if it was not delivered before, and is from now. */
  acceptLate(sequence: number): boolean {
    if (this.distance(sequence) <= -REMEMBERED) return false;
    const bit = sequence & (REMEMBERED - 1);
    const mask = 1 << (bit & 31);
    const word = this.#delivered[bit >>> 5] as number;
    if ((word & mask) !== 0) return false;
    this.#delivered[bit >>> 5] = word | mask;
    return true;
  }

  /** Goes to `sequence`, far ahead, with nothing held: all before it is given up. */
  jump(sequence: number): void {
    const distance = this.distance(sequence);
    if (distance <= 0) return;
    if (distance >= REMEMBERED + (this.#marks > 0 ? MAX_AHEAD : 0)) {
      this.#delivered.fill(0);
      this.#slots.fill(NO_SLOT);
      this.#marks = 0;
      this.next = sequence;
    } else for (let i = 0; i < distance; i++) this.advance(false);
    this.skipMarks();
  }

  /** Nothing is held any more. */
  rest(): void {
    if (this.#mask < KEPT || this.#marks > 0) return;
    this.#slots = new Int32Array(INITIAL).fill(NO_SLOT);
    this.#mask = INITIAL - 1;
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const slots = new Int32Array(capacity).fill(NO_SLOT);
    for (let i = 0; i <= this.#mask; i++) {
      const sequence = (this.next + i) & SEQUENCE_MASK;
      slots[sequence & (capacity - 1)] = this.#slots[sequence & this.#mask] as number;
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
  }
}
