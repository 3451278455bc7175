// @hot
/**
 * The protocol, part 2: the messages a transport datagram carries, one after the other. Big-endian.
 *
 * PAD          | 0:4 0:4 | padding to the end of the datagram, which asks for acknowledgement if it holds nothing else |
 *
 * DATA         | 1:4 flags:4 | bucket:16 | sequence:24 | [length:16 if LENGTH] | IP packet |          6 or 8 + packet
 *              The packet runs to the end of the messages unless LENGTH. The bucket names the flow it belongs to,
 *              its top three bits the delivery class; the sequence is its place in that bucket, modulo 2^24.
 *
 * ACK          | 2:4 rsv:4 | index:24 | ack:32 | nack:32 | largest:32 | latest:32 | received at:32 | delay:24 | packets:32 |
 *              | bytes:32 | n:8 | n x (gap:16, run:16) |                                          36 + 4 n
 *              About the path whose receiver index at the addressee is `index`. `ack` and `nack` as in the dissertation
 *              (3.2.3): every packet number up to `ack` was received or given up, `nack` is the highest given up.
 *              `latest` arrived last, `received at` (receiver's clock, microseconds, modulo 2^32), `delay` microseconds before
 *              this message: where datagrams overtake each other it says more than `largest`, the luckiest; `packets` and `bytes` count all datagrams received, modulo 2^32.
 *              Ranges go down from `largest`: `run` numbers received, then `gap` missing, then the next run; the first gap is 0.
 *
 * PROBE        | 3:4 rsv:4 |                asks for an ACK at once                               1
 *
 * CLOSE        | 4:4 rsv:4 | reason:8 |     this path is over                                      2
 *
 * HOLD         | 5:4 rsv:4 | time:16 |       how long early packets are worth holding, in units of 64 µs   3
 *
 * REKEY      | 8:4 answer:1 rsv:3 | epoch:32 | length:8 | Noise message |      6 + length
 *              Asks for keys of that epoch, or answers: see `exchange/session.ts`.
 *
 * ABANDON      | 6:4 rsv:4 | bucket:16 | sequence:24 | count:8 |   these packets will not come             7
 *
 * FRAG         | 7:4 flags:4 | bucket:16 | sequence:24 | part:4 parts-1:4 | length:16 | bytes |        9 + bytes
 *              A packet of `length` bytes in `parts` datagrams of one path with consecutive packet numbers; this is part `part`, from 0.
 *              It begins at byte `part * length / parts` of the packet, rounded up, and ends where the next one begins and the messages
 *              end. Bucket, sequence and flags as of DATA, LENGTH never.
 *
 * LINK         | 9:4 rsv:3 METERED:1 | limit:24 |   what its sender wants of this path: no more to it than this,     4
 *              kbit/s of IP packets, 0 for as much as passes; no traffic beyond need if METERED. Sent until acknowledged
 *
 * DIAGNOSIS    | 10:4 kind:4 | ... |       a question or an answer of its kind: `diagnosis.ts`              5 to 27
 *
 * CHALLENGE    | 11:4 rsv:3 ANSWER:1 | token:64 |   asks an address whether it is the peer's; an ANSWER repeats the token   9
 */

export const MESSAGE = {
  PAD: 0,
  DATA: 1,
  ACK: 2,
  PROBE: 3,
  CLOSE: 4,
  HOLD: 5,
  ABANDON: 6,
  FRAG: 7,
  REKEY: 8,
  LINK: 9,
  DIAGNOSIS: 10,
  CHALLENGE: 11,
} as const;

export const DATA_FLAG = {
  /** The inner TCP or UDP checksum holds only the pseudo-header's sum; the receiving host completes it. */
  CHECKSUM_PARTIAL: 1,
  /** Sent before, on this or another path. */
  RESENT: 2,
  /** A length follows and further messages may come after the packet. */
  LENGTH: 4,
  /** Sent though nothing says that another datagram with the same packet was lost. */
  REDUNDANT: 8,
} as const;

/** Delivery classes, given by the sender to each packet. */
export const CLASS = {
  /** To be delivered as it comes. */
  IMMEDIATE: 0,
  /** To be delivered in the order of its flow, within the hold time. */
  ORDERED: 1,
  /** To be delivered as it comes, and worth nothing when late: not sent again after a short time. */
  REALTIME: 2,
  /** To be delivered as it comes; the next one makes up for its loss, so it is never sent again. */
  FLEETING: 3,
} as const;

export const CLOSE_REASON = { SHUTDOWN: 1, REMOVED: 2, REPLACED: 3 } as const;

/** Bytes in front of the packet in a DATA message that runs to the end. */
export const DATA_SIZE = 6;
export const ACK_SIZE = 36;
export const PROBE_SIZE = 1;
export const CLOSE_SIZE = 2;
export const HOLD_SIZE = 3;
export const HOLD_UNIT = 64;
export const ABANDON_SIZE = 7;
export const CHALLENGE_ANSWER = 1;
export const CHALLENGE_TOKEN = 8;
export const CHALLENGE_SIZE = 1 + CHALLENGE_TOKEN;
/** Bytes in front of a part in a FRAG message, and the parts of a packet at most. */
export const FRAGMENT_SIZE = 9;
export const MAX_FRAGMENTS = 16;
export const LINK_SIZE = 4;
/** Flag of a LINK message. */
export const LINK_METERED = 1;
/** Bytes per second of one kbit/s. */
const KBIT = 125;
const MAX_LINK_LIMIT = 0xffffff;
/** Bytes in front of the Noise message. */
export const REKEY_SIZE = 6;
/** Bit of the first byte. */
export const REKEY_ANSWER = 8;
/** Most ranges an ACK may carry. */
export const MAX_RANGES = 64;

export const BUCKET_MASK = 0x1fff;
export const CLASS_SHIFT = 13;
export const SEQUENCE_MASK = 0xffffff;

/** Writes the head of a DATA message that runs to the end of the datagram at `offset`. */
export function writeData(
  view: DataView,
  offset: number,
  flags: number,
  bucket: number,
  deliveryClass: number,
  sequence: number,
): void {
  writeFlow(view, offset, (MESSAGE.DATA << 4) | flags, bucket, deliveryClass, sequence);
}

/** What DATA and FRAG begin with. */
function writeFlow(
  view: DataView,
  offset: number,
  head: number,
  bucket: number,
  deliveryClass: number,
  sequence: number,
): void {
  view.setUint8(offset, head);
  view.setUint16(offset + 1, (deliveryClass << CLASS_SHIFT) | (bucket & BUCKET_MASK));
  view.setUint8(offset + 3, (sequence >>> 16) & 0xff);
  view.setUint16(offset + 4, sequence & 0xffff);
}

export function dataBucket(view: DataView, offset: number): number {
  return view.getUint16(offset + 1) & BUCKET_MASK;
}

export function dataClass(view: DataView, offset: number): number {
  return view.getUint16(offset + 1) >>> CLASS_SHIFT;
}

export function dataSequence(view: DataView, offset: number): number {
  return (view.getUint8(offset + 3) << 16) | view.getUint16(offset + 4);
}

/** One FRAG message, decoded, with the place of its part in the packet; reused for every message. */
export class Fragment {
  flags = 0;
  bucket = 0;
  class = 0;
  sequence = 0;
  part = 0;
  parts = 1;
  /** Bytes of the whole packet. */
  length = 0;
  /** Where the part begins in it, and its bytes. */
  offset = 0;
  size = 0;

  /** Chooses a part of a packet. */
  place(part: number, parts: number, length: number): void {
    this.part = part;
    this.parts = parts;
    this.length = length;
    this.offset = Math.ceil((part * length) / parts);
    this.size = Math.ceil(((part + 1) * length) / parts) - this.offset;
  }

  /** Writes what goes before the bytes of the part at `offset`. */
  write(view: DataView, offset: number): void {
    writeFlow(view, offset, (MESSAGE.FRAG << 4) | this.flags, this.bucket, this.class, this.sequence);
    view.setUint8(offset + 6, (this.part << 4) | (this.parts - 1));
    view.setUint16(offset + 7, this.length);
  }

  /** Reads the message at `offset` that runs to `end`; false if it is not well formed. */
  read(view: DataView, offset: number, end: number): boolean {
    if (end - offset < FRAGMENT_SIZE) return false;
    this.flags = view.getUint8(offset) & 0x0f;
    this.bucket = dataBucket(view, offset);
    this.class = dataClass(view, offset);
    this.sequence = dataSequence(view, offset);
    const places = view.getUint8(offset + 6);
    this.place(places >>> 4, (places & 0x0f) + 1, view.getUint16(offset + 7));
    return this.part < this.parts && this.size > 0 && this.size === end - offset - FRAGMENT_SIZE;
  }
}

/** @param limit bytes per second, Infinity for none */
export function writeLink(view: DataView, offset: number, isMetered: boolean, limit: number): void {
  const kbits =
    limit === Number.POSITIVE_INFINITY ? 0 : Math.min(MAX_LINK_LIMIT, Math.max(1, Math.floor(limit / KBIT)));
  view.setUint32(offset, ((MESSAGE.LINK << 28) | (isMetered ? LINK_METERED << 24 : 0) | kbits) >>> 0);
}

/** The limit of a LINK message, bytes per second, Infinity for none. */
export function linkLimit(view: DataView, offset: number): number {
  const kbits = view.getUint32(offset) & MAX_LINK_LIMIT;
  return kbits === 0 ? Number.POSITIVE_INFINITY : kbits * KBIT;
}

/** One ACK message, decoded; reused for every message so that none is allocated. */
export class Ack {
  index = 0;
  ack = 0;
  nack = 0;
  largest = 0;
  latest = 0;
  /** Receiver's clock, µs modulo 2^32. */
  receivedAt = 0;
  /** µs between arrival of `latest` and the message. */
  delay = 0;
  packets = 0;
  bytes = 0;
  ranges = 0;
  /** `ranges` pairs of (gap, run). */
  readonly pairs = new Uint16Array(2 * MAX_RANGES);

  get size(): number {
    return ACK_SIZE + 4 * this.ranges;
  }

  /** Writes the message at `offset`; `size` bytes. */
  write(view: DataView, offset: number): void {
    view.setUint32(offset, ((MESSAGE.ACK << 28) | this.index) >>> 0);
    view.setUint32(offset + 4, this.ack >>> 0);
    view.setUint32(offset + 8, this.nack >>> 0);
    view.setUint32(offset + 12, this.largest >>> 0);
    view.setUint32(offset + 16, this.latest >>> 0);
    view.setUint32(offset + 20, this.receivedAt >>> 0);
    const delay = Math.min(this.delay, 0xffffff);
    view.setUint8(offset + 24, delay >>> 16);
    view.setUint16(offset + 25, delay & 0xffff);
    view.setUint32(offset + 27, this.packets >>> 0);
    view.setUint32(offset + 31, this.bytes >>> 0);
    view.setUint8(offset + 35, this.ranges);
    for (let i = 0; i < 2 * this.ranges; i++) view.setUint16(offset + ACK_SIZE + 2 * i, this.pairs[i] as number);
  }

  /** Reads the message at `offset`; returns its size, or -1 if it does not fit before `end` or is not well formed. */
  read(view: DataView, offset: number, end: number): number {
    if (end - offset < ACK_SIZE) return -1;
    const ranges = view.getUint8(offset + 35);
    if (ranges > MAX_RANGES || end - offset < ACK_SIZE + 4 * ranges) return -1;
    this.index = view.getUint32(offset) & 0xffffff;
    this.ack = view.getUint32(offset + 4);
    this.nack = view.getUint32(offset + 8);
    this.largest = view.getUint32(offset + 12);
    this.latest = view.getUint32(offset + 16);
    this.receivedAt = view.getUint32(offset + 20);
    this.delay = (view.getUint8(offset + 24) << 16) | view.getUint16(offset + 25);
    this.packets = view.getUint32(offset + 27);
    this.bytes = view.getUint32(offset + 31);
    this.ranges = ranges;
    for (let i = 0; i < 2 * ranges; i++) this.pairs[i] = view.getUint16(offset + ACK_SIZE + 2 * i);
    return ACK_SIZE + 4 * ranges;
  }
}
