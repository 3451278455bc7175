/**
 * The receiving half of a simulated TCP: what arrived, when to acknowledge, and the SACK and DSACK blocks (RFC 2018, RFC 2883).
 * As Linux does: quick acknowledgements at the start, then every second segment or after 40 ms; out of order at once, but
 * after three duplicates at most one per millisecond or 44 segments (compressed SACK).
 */
import { type Micros, NEVER } from "../../../src/clock.ts";
import type { Segment } from "../../support/packets/slots.ts";

const DELAYED_ACK: Micros = 40_000;
const QUICK_ACKS = 16;
const COMPRESS_TIME: Micros = 1_000;
const COMPRESS_COUNT = 44;
const DUPLICATE_THRESHOLD = 3;

interface Range {
  start: number;
  end: number;
}

export class TcpReceiver {
  readonly coalesce: boolean;
  /** Next sequence number expected, absolute; -1 before the peer's SYN. */
  next = -1;
  /** Timestamp to echo (RFC 7323 section 4.3). */
  echo = 0;
  /** Time at which an acknowledgement is due. */
  deadline: Micros = NEVER;
  /** Bytes delivered in order. */
  bytes = 0;
  /** Segments that came when a later one had come before, and segments that came again. */
  reordered = 0;
  duplicates = 0;
  /** Out-of-order ranges, the most recent first. */
  readonly #ranges: Range[] = [];
  #dsack: Range | undefined;
  #lastAcked = 0;
  #quick = QUICK_ACKS;
  #duplicateAcks = 0;
  #compressed = 0;

  /** @param coalesce as GRO does: segments of one moment are acknowledged together */
  constructor(coalesce: boolean) {
    this.coalesce = coalesce;
  }

  start(sequence: number, timestamp: number): void {
    this.next = sequence;
    this.#lastAcked = sequence;
    this.echo = timestamp;
  }

  /** Returns the absolute number of a wire sequence number. */
  unwrap(sequence: number): number {
    return this.next + ((sequence - this.next) | 0);
  }

  handle(now: Micros, segment: Segment): void {
    if (segment.payload === 0) return;
    const start = this.unwrap(segment.sequence);
    const end = start + segment.payload;
    if (start <= this.#lastAcked) this.echo = segment.timestamp;
    if (end <= this.next || this.#holds(start, end)) {
      this.duplicates++;
      this.#dsack = { start, end };
      this.deadline = now;
      return;
    }
    if (start > this.next) {
      this.#insert(start, end);
      this.#dueOutOfOrder(now);
      return;
    }
    const wasHole = this.#ranges.length > 0;
    this.#advance(end);
    if (wasHole) this.reordered++;
    this.#dueInOrder(now, segment.payload, wasHole);
  }

  /** Fills in what an outgoing segment acknowledges, and forgets the deadline. */
  acknowledge(out: Segment): void {
    out.acknowledgement = this.next >>> 0;
    out.echo = this.echo;
    out.blockCount = 0;
    if (this.#dsack) this.#block(out, this.#dsack);
    for (const range of this.#ranges) {
      if (out.blockCount === 3) break;
      this.#block(out, range);
    }
    this.#dsack = undefined;
    if (this.next > this.#lastAcked) this.#duplicateAcks = 0;
    this.#lastAcked = this.next;
    this.#compressed = 0;
    this.deadline = NEVER;
  }

  #block(out: Segment, range: Range): void {
    out.blocks[2 * out.blockCount] = range.start >>> 0;
    out.blocks[2 * out.blockCount + 1] = range.end >>> 0;
    out.blockCount++;
  }

  #holds(start: number, end: number): boolean {
    return this.#ranges.some((range) => range.start <= start && end <= range.end);
  }

  #insert(start: number, end: number): void {
    const merged: Range = { start, end };
    for (let i = this.#ranges.length - 1; i >= 0; i--) {
      const range = this.#ranges[i] as Range;
      if (range.end < merged.start || range.start > merged.end) continue;
      merged.start = Math.min(merged.start, range.start);
      merged.end = Math.max(merged.end, range.end);
      this.#ranges.splice(i, 1);
    }
    if (this.#ranges.some((range) => range.start > end)) this.reordered++;
    this.#ranges.unshift(merged);
  }

  #advance(end: number): void {
    let next = Math.max(this.next, end);
    for (let i = 0; i < this.#ranges.length; ) {
      const range = this.#ranges[i] as Range;
      if (range.start > next) i++;
      else {
        next = Math.max(next, range.end);
        this.#ranges.splice(i, 1);
        i = 0;
      }
    }
    this.bytes += next - this.next;
    this.next = next;
  }

  #dueInOrder(now: Micros, payload: number, wasHole: boolean): void {
    const isDue = wasHole || this.#quick > 0 || this.next - this.#lastAcked > payload;
    if (this.#quick > 0 && isDue) this.#quick--;
    if (isDue) this.#dueNow(now);
    else this.deadline = Math.min(this.deadline, now + DELAYED_ACK);
  }

  #dueOutOfOrder(now: Micros): void {
    if (this.#duplicateAcks < DUPLICATE_THRESHOLD) {
      this.#duplicateAcks++;
      this.deadline = now;
      return;
    }
    if (++this.#compressed >= COMPRESS_COUNT) this.deadline = now;
    else this.deadline = Math.min(this.deadline, now + COMPRESS_TIME);
  }

  #dueNow(now: Micros): void {
    // With coalescing the acknowledgement waits for the end of the moment, when the timers run.
    this.deadline = this.coalesce ? Math.min(this.deadline, now + 1) : now;
  }
}
