// @hot
/**
 * ACK: what one direction of a path has received.
 *
 *     | 2:4 0:4 | index:24 | ack:32 | nack:32 | largest:32 | latest:32 | received at:32 | delay:24 | packets:32 | bytes:32 |
 *     | n:8 | n x (gap:16, run:16) |                                                                    36 + 4 n
 *
 * - `index` is the addressee's receiver index for the path, so the message may come by any path.
 * - `ack` and `nack` are the dissertation's (3.2.3): every packet number up to `ack` was received or given up, and `nack` is the highest
 *   given up.
 * - `latest` arrived last, at `received at` of the receiver's clock (µs, modulo 2^32), `delay` µs before this message. Where datagrams
 *   overtake each other, its delay is unbiased and that of `largest` is not.
 * - `packets` and `bytes` count all datagrams received, modulo 2^32.
 * - The ranges go down from `largest`: `run` numbers received, then `gap` missing, then the next run; the first gap is 0.
 */
import { MESSAGE } from "./message-types.ts";

/** Bytes in front of the ranges. */
export const ACK_SIZE = 36;
/** Ranges of one message at most. */
export const MAX_RANGES = 64;
const RANGE_SIZE = 4;
const INDEX_MASK = 0xffffff;
/** The longest delay that 24 bits hold, µs. */
const MAX_DELAY = 0xffffff;

/** One ACK message, decoded; reused for every message so that none is allocated. */
export class Ack {
  index = 0;
  ack = 0;
  nack = 0;
  largest = 0;
  latest = 0;
  /** When `latest` arrived by the receiver's clock, µs modulo 2^32. */
  receivedAt = 0;
  /** Time between the arrival of `latest` and the message, µs. */
  delay = 0;
  packets = 0;
  bytes = 0;
  ranges = 0;
  /** `ranges` pairs of (gap, run). */
  readonly pairs = new Uint16Array(2 * MAX_RANGES);

  get size(): number {
    return ACK_SIZE + RANGE_SIZE * this.ranges;
  }

  /** Writes the message at `at`: `size` bytes. */
  write(view: DataView, at: number): number {
    view.setUint32(at, ((MESSAGE.ACK << 28) | this.index) >>> 0);
    view.setUint32(at + 4, this.ack >>> 0);
    view.setUint32(at + 8, this.nack >>> 0);
    view.setUint32(at + 12, this.largest >>> 0);
    view.setUint32(at + 16, this.latest >>> 0);
    view.setUint32(at + 20, this.receivedAt >>> 0);
    const delay = Math.min(this.delay, MAX_DELAY);
    view.setUint8(at + 24, delay >>> 16);
    view.setUint16(at + 25, delay & 0xffff);
    view.setUint32(at + 27, this.packets >>> 0);
    view.setUint32(at + 31, this.bytes >>> 0);
    view.setUint8(at + 35, this.ranges);
    for (let i = 0; i < 2 * this.ranges; i++) view.setUint16(at + ACK_SIZE + 2 * i, this.pairs[i] as number);
    return at + this.size;
  }

  /** Reads the message at `at`; returns its size, or -1 if it does not fit before `end` or is malformed. */
  read(view: DataView, at: number, end: number): number {
    if (end - at < ACK_SIZE) return -1;
    const ranges = view.getUint8(at + 35);
    const size = ACK_SIZE + RANGE_SIZE * ranges;
    if (ranges > MAX_RANGES || end - at < size) return -1;
    this.index = view.getUint32(at) & INDEX_MASK;
    this.ack = view.getUint32(at + 4);
    this.nack = view.getUint32(at + 8);
    this.largest = view.getUint32(at + 12);
    this.latest = view.getUint32(at + 16);
    this.receivedAt = view.getUint32(at + 20);
    this.delay = (view.getUint8(at + 24) << 16) | view.getUint16(at + 25);
    this.packets = view.getUint32(at + 27);
    this.bytes = view.getUint32(at + 31);
    this.ranges = ranges;
    for (let i = 0; i < 2 * ranges; i++) this.pairs[i] = view.getUint16(at + ACK_SIZE + 2 * i);
    return size;
  }
}
