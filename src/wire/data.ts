// @hot
/**
 * DATA: a packet of the host.
 *
 *     | 1:4 flags:4 | class:3 bucket:13 | sequence:24 | IP packet |                                      6 + packet
 *
 * The packet runs to the end of the datagram. `bucket` is a hash of its flow, `sequence` its place in that bucket, modulo 2^24, and
 * `class` how it is to be delivered. FRAG and ABANDON name packets by the same six bytes.
 */
import { MESSAGE } from "./message-types.ts";

export const DATA_FLAG = {
  /** The inner TCP or UDP checksum holds only the pseudo-header's sum; the receiving host completes it. */
  CHECKSUM_PARTIAL: 1,
  /** A reinjection or a duplicate: no datagram with this packet is known to be lost. */
  REDUNDANT: 2,
} as const;

/** Delivery classes, chosen by the sender for each packet. */
export const CLASS = {
  /** Delivered on arrival. */
  IMMEDIATE: 0,
  /** Delivered in the order of its flow, within the hold time. */
  ORDERED: 1,
  /** Delivered on arrival; retransmitted only within a short time, as it is worthless when late. */
  REALTIME: 2,
  /** Delivered on arrival; never retransmitted, as the next one makes up for its loss. */
  FLEETING: 3,
} as const;

/** Bytes in front of the packet. */
export const DATA_SIZE = 6;
export const BUCKET_MASK = 0x1fff;
export const SEQUENCE_MASK = 0xffffff;
const CLASS_SHIFT = 13;

/** Writes what goes in front of the packet at `at`. */
export function writeData(
  view: DataView,
  at: number,
  flags: number,
  bucket: number,
  deliveryClass: number,
  sequence: number,
): number {
  return writePlace(view, at, (MESSAGE.DATA << 4) | flags, bucket, deliveryClass, sequence);
}

/** Writes the six bytes that DATA, FRAG and ABANDON begin with; `head` is the first of them. */
export function writePlace(
  view: DataView,
  at: number,
  head: number,
  bucket: number,
  deliveryClass: number,
  sequence: number,
): number {
  view.setUint8(at, head);
  view.setUint16(at + 1, (deliveryClass << CLASS_SHIFT) | (bucket & BUCKET_MASK));
  view.setUint8(at + 3, (sequence >>> 16) & 0xff);
  view.setUint16(at + 4, sequence & 0xffff);
  return at + DATA_SIZE;
}

/** Returns the flags of a DATA or FRAG message, bits of `DATA_FLAG`. */
export function flagsOf(view: DataView, at: number): number {
  return view.getUint8(at) & 0x0f;
}

export function bucketOf(view: DataView, at: number): number {
  return view.getUint16(at + 1) & BUCKET_MASK;
}

export function classOf(view: DataView, at: number): number {
  return view.getUint16(at + 1) >>> CLASS_SHIFT;
}

export function sequenceOf(view: DataView, at: number): number {
  return (view.getUint8(at + 3) << 16) | view.getUint16(at + 4);
}
