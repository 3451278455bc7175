// @hot
/** The order of one flow: a ring of early packets by sequence, the next sequence, and which ones were delivered. */
import { type Micros, NEVER } from "../clock.ts";
import { NO_SLOT, type Slot } from "../memory/packet-pool.ts";
import { SEQUENCE_MASK } from "../wire/data.ts";

const INITIAL = 64;
/** Size above which an empty ring is given back: of thousands of flows few are deep at a time. */
const KEPT = 1_024;
/** Cells that the rings of all flows may have beyond their first ones, four bytes each: 64 of the deepest rings. */
const SHARED_CELLS = 524_288;
/** Most sequences that a packet may be ahead of the next one; a packet further ahead ends the wait for the oldest hole. */
export const MAX_AHEAD = 8_192;
/** Mark in the ring for a packet that will not come. */
const ABANDONED = -2;
/** Mark in the ring for a packet that was delivered ahead of its turn. */
const PASSED = -3;
const HALF = 0x800000;
/** Number of sequences behind the next one whose delivery is remembered, to tell late packets from duplicates. */
const REMEMBERED = 2_048;

/** The cells that flows share for their rings, so that a peer cannot have all of them grow. */
export class SharedCells {
  left = SHARED_CELLS;
}

export class FlowOrder {
  bucket = -1;
  next = 0;
  held = 0;
  /** Time at which the oldest hole is given up; `NEVER` without one. */
  deadline: Micros = NEVER;
  #slots = new Int32Array(INITIAL).fill(NO_SLOT);
  #mask = INITIAL - 1;
  /** Number of sequences ahead that are marked: they will not come or were delivered. */
  #marks = 0;
  readonly #delivered = new Uint32Array(REMEMBERED / 32);
  readonly #cells: SharedCells;

  constructor(cells: SharedCells) {
    this.#cells = cells;
  }

  open(bucket: number): void {
    this.bucket = bucket;
    this.next = 0;
    this.held = 0;
    this.deadline = NEVER;
    this.#delivered.fill(0);
    if (this.#marks > 0) this.#slots.fill(NO_SLOT);
    this.#marks = 0;
  }

  /** Returns the distance from the next sequence to `sequence`; negative for one behind. */
  distance(sequence: number): number {
    const d = (sequence - this.next) & SEQUENCE_MASK;
    return d >= HALF ? d - SEQUENCE_MASK - 1 : d;
  }

  /** Returns how many sequences the ring covers. */
  get reach(): number {
    return this.#mask + 1;
  }

  /** Makes the ring cover `ahead`, which is below `MAX_AHEAD`; returns false if too few cells are left. */
  reserve(ahead: number): boolean {
    while (ahead > this.#mask) if (!this.#grow()) return false;
    return true;
  }

  /** Holds an early packet; false if one with its sequence is held or delivered already. It is ahead, and reserved. */
  hold(slot: Slot, sequence: number): boolean {
    const i = sequence & this.#mask;
    const present = this.#slots[i] as number;
    if (present >= 0 || present === PASSED) return false;
    if (present === ABANDONED) this.#marks--;
    this.#slots[i] = slot;
    this.held++;
    return true;
  }

  /** Takes the held packet whose turn it is, -1 if the next one is missing. */
  takeNext(): Slot {
    if (this.held === 0) return NO_SLOT;
    const i = this.next & this.#mask;
    const slot = this.#slots[i] as number;
    if (slot < 0) return NO_SLOT;
    this.#slots[i] = NO_SLOT;
    this.held--;
    return slot;
  }

  /** The held packet with the first sequence, -1 for none. */
  get firstHeld(): Slot {
    if (this.held === 0) return NO_SLOT;
    let sequence = this.next;
    while ((this.#slots[sequence & this.#mask] as number) < 0) sequence++;
    return this.#slots[sequence & this.#mask] as number;
  }

  /** Notes that an early packet will not come, for when its turn does; it is ahead, and reserved. */
  abandon(sequence: number): void {
    const i = sequence & this.#mask;
    if (this.#slots[i] !== NO_SLOT) return;
    this.#slots[i] = ABANDONED;
    this.#marks++;
  }

  /** Notes that an early packet is delivered before its turn; false if it is held or was delivered. It is ahead, and reserved. */
  pass(sequence: number): boolean {
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

  /** Advances past the marked sequences that come next. */
  skipMarks(): void {
    while (this.#marks > 0 && (this.#slots[this.next & this.#mask] as number) < NO_SLOT) this.advance(false);
  }

  /** Advances by one sequence; `isDelivered` is false if it was given up. */
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

  /** Marks a late packet as delivered; false if it was delivered before. */
  acceptLate(sequence: number): boolean {
    if (this.distance(sequence) <= -REMEMBERED) return false;
    const bit = sequence & (REMEMBERED - 1);
    const mask = 1 << (bit & 31);
    const word = this.#delivered[bit >>> 5] as number;
    if ((word & mask) !== 0) return false;
    this.#delivered[bit >>> 5] = word | mask;
    return true;
  }

  /** Advances to `sequence`, far ahead, with nothing held, and gives up all before it. */
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

  /** Gives back a large ring when nothing is held any more. */
  rest(): void {
    if (this.#mask >= KEPT && this.#marks === 0) this.#shrink();
  }

  /** Gives back the ring with its marks if nothing is held. */
  giveBack(): void {
    if (this.held > 0 || this.#mask < INITIAL) return;
    this.#marks = 0;
    this.#shrink();
  }

  #shrink(): void {
    this.#cells.left += this.#mask + 1 - INITIAL;
    this.#slots = new Int32Array(INITIAL).fill(NO_SLOT);
    this.#mask = INITIAL - 1;
  }

  #grow(): boolean {
    const more = this.#mask + 1;
    if (this.#cells.left < more) return false;
    this.#cells.left -= more;
    const capacity = 2 * more;
    const slots = new Int32Array(capacity).fill(NO_SLOT);
    for (let i = 0; i <= this.#mask; i++) {
      const sequence = (this.next + i) & SEQUENCE_MASK;
      slots[sequence & (capacity - 1)] = this.#slots[sequence & this.#mask] as number;
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
    return true;
  }
}
