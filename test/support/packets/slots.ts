/**
 * IP packets of the simulated hosts, as bytes in slots: enough of IPv4, IPv6, TCP, UDP and ICMP for a tunnel that looks at
 * headers, written in place because a world sends millions. Host addresses are 10.7.0.1 and fd07::1 on side 0, 10.7.0.2 and fd07::2 on side 1.
 * Each packet carries a serial, unique in a world: TCP's in the timestamp value (RFC 7323), the others' in the first payload bytes.
 */
import type { PacketPool, Slot } from "../../../src/memory/packet-pool.ts";

export type Family = 4 | 6;
export type Side = 0 | 1;

export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

/** TCP header with timestamps: 20 + 12 bytes. */
export const TCP_HEADER = 32;
/** TCP header of a SYN: MSS, SACK permitted, timestamps and window scale. */
const SYN_HEADER = 40;
export const WINDOW_SCALE = 8;

export function ipHeader(family: Family): number {
  return family === 4 ? 20 : 40;
}

/** Writes the IP header of a packet of `size` bytes and sets the slot's length. @returns arena offset of what follows */
export function writeIp(
  pool: PacketPool,
  slot: Slot,
  family: Family,
  protocol: number,
  from: Side,
  size: number,
): number {
  const at = pool.start[slot] as number;
  const { bytes, view } = pool;
  pool.length[slot] = size;
  if (family === 6) {
    view.setUint32(at, 0x6000_0000);
    view.setUint16(at + 4, size - 40);
    bytes[at + 6] = protocol;
    bytes[at + 7] = 64;
    writeAddress6(pool, at + 8, from);
    writeAddress6(pool, at + 24, (1 - from) as Side);
    return at + 40;
  }
  view.setUint32(at, 0x4500_0000 | size);
  view.setUint32(at + 4, 0x0000_4000);
  view.setUint32(at + 8, (64 << 24) | (protocol << 16));
  view.setUint32(at + 12, 0x0a07_0001 + from);
  view.setUint32(at + 16, 0x0a07_0002 - from);
  view.setUint16(at + 10, checksum(pool, at, 20, 0));
  return at + 20;
}

/** Gives an IPv4 packet DSCP and ECN. */
export function setTrafficClass(pool: PacketPool, slot: Slot, octet: number): void {
  const at = pool.start[slot] as number;
  pool.bytes[at + 1] = octet;
  pool.view.setUint16(at + 10, 0);
  pool.view.setUint16(at + 10, checksum(pool, at, 20, 0));
}

function writeAddress6(pool: PacketPool, at: number, side: Side): void {
  pool.view.setUint32(at, 0xfd07_0000);
  pool.view.setUint32(at + 4, 0);
  pool.view.setUint32(at + 8, 0);
  pool.view.setUint32(at + 12, 1 + side);
}

/** Returns the checksum of RFC 1071; an odd last byte is padded with zero. */
export function checksum(pool: PacketPool, at: number, length: number, initial: number): number {
  let sum = initial;
  for (let i = 0; i + 1 < length; i += 2) sum += pool.view.getUint16(at + i);
  if (length % 2 === 1) sum += (pool.bytes[at + length - 1] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Returns the sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1) of the packet in `slot`. */
function pseudoSum(pool: PacketPool, slot: Slot, family: Family, protocol: number): number {
  const at = pool.start[slot] as number;
  const length = (pool.length[slot] as number) - ipHeader(family);
  const [from, bytes] = family === 4 ? [at + 12, 8] : [at + 8, 32];
  return (~checksum(pool, from, bytes, 0) & 0xffff) + protocol + length;
}

/** Fills in the checksum of the TCP segment or ICMP message in `slot`. */
export function fillChecksum(pool: PacketPool, slot: Slot, family: Family, protocol: number): void {
  const at = (pool.start[slot] as number) + ipHeader(family);
  const field = at + (protocol === PROTOCOL.TCP ? 16 : protocol === PROTOCOL.UDP ? 6 : 2);
  const length = (pool.length[slot] as number) - ipHeader(family);
  const initial = protocol === PROTOCOL.ICMP ? 0 : pseudoSum(pool, slot, family, protocol);
  pool.view.setUint16(field, 0);
  pool.view.setUint16(field, checksum(pool, at, length, initial));
}

/** The fields of a TCP segment that the simulated ends use; numbers as on the wire. SACK blocks as start, end, start, end, ... */
export class Segment {
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgement = 0;
  flags = 0;
  /** Bytes, unscaled. */
  window = 0;
  timestamp = 0;
  echo = 0;
  /** 0 when absent. */
  mss = 0;
  readonly blocks = new Float64Array(8);
  blockCount = 0;
  payload = 0;
}

/** Writes `segment` as an IP packet into `slot`; the payload's bytes are what the slot held. */
export function writeSegment(pool: PacketPool, slot: Slot, family: Family, from: Side, segment: Segment): void {
  const isSyn = (segment.flags & TCP_FLAG.SYN) !== 0;
  const sack = segment.blockCount === 0 ? 0 : 4 + 8 * segment.blockCount;
  const header = isSyn ? SYN_HEADER : TCP_HEADER + sack;
  const size = ipHeader(family) + header + segment.payload;
  const at = writeIp(pool, slot, family, PROTOCOL.TCP, from, size);
  const { view } = pool;
  view.setUint16(at, segment.sourcePort);
  view.setUint16(at + 2, segment.destinationPort);
  view.setUint32(at + 4, segment.sequence);
  view.setUint32(at + 8, segment.acknowledgement);
  view.setUint16(at + 12, ((header / 4) << 12) | segment.flags);
  view.setUint16(at + 14, Math.min(0xffff, isSyn ? segment.window : segment.window >>> WINDOW_SCALE));
  view.setUint32(at + 16, 0);
  view.setUint32(at + 20, 0x0101_080a);
  view.setUint32(at + 24, segment.timestamp);
  view.setUint32(at + 28, segment.echo);
  if (isSyn) {
    view.setUint32(at + 32, 0x0204_0000 | segment.mss);
    view.setUint32(at + 36, 0x0402_0000 | 0x0101);
    fillChecksum(pool, slot, family, PROTOCOL.TCP);
  } else if (sack > 0) {
    view.setUint32(at + 32, 0x0101_0500 | (2 + 8 * segment.blockCount));
    for (let i = 0; i < 2 * segment.blockCount; i++) view.setUint32(at + 36 + 4 * i, segment.blocks[i] as number);
  }
}

/** Reads the TCP segment in `slot` into `out`, options in any order. */
export function readSegment(pool: PacketPool, slot: Slot, out: Segment): void {
  const { view, bytes } = pool;
  const start = pool.start[slot] as number;
  const family = ((bytes[start] as number) >> 4) as Family;
  const at = start + ipHeader(family);
  const header = ((bytes[at + 12] as number) >> 4) * 4;
  out.sourcePort = view.getUint16(at);
  out.destinationPort = view.getUint16(at + 2);
  out.sequence = view.getUint32(at + 4);
  out.acknowledgement = view.getUint32(at + 8);
  out.flags = bytes[at + 13] as number;
  const isSyn = (out.flags & TCP_FLAG.SYN) !== 0;
  out.window = view.getUint16(at + 14) << (isSyn ? 0 : WINDOW_SCALE);
  out.payload = (pool.length[slot] as number) - ipHeader(family) - header;
  out.blockCount = 0;
  out.mss = 0;
  readOptions(pool, at + 20, at + header, out);
}

function readOptions(pool: PacketPool, from: number, end: number, out: Segment): void {
  const { view, bytes } = pool;
  let at = from;
  while (at < end) {
    const kind = bytes[at] as number;
    if (kind === 0) return;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1] as number;
    if (kind === 2) out.mss = view.getUint16(at + 2);
    else if (kind === 8) {
      out.timestamp = view.getUint32(at + 2);
      out.echo = view.getUint32(at + 6);
    } else if (kind === 5) {
      out.blockCount = (length - 2) / 8;
      for (let i = 0; i < 2 * out.blockCount; i++) out.blocks[i] = view.getUint32(at + 2 + 4 * i);
    }
    at += Math.max(2, length);
  }
}

/** Returns the serial of the packet in `slot`, -1 if it is none of a simulated host. */
export function serialOf(pool: PacketPool, slot: Slot): number {
  const { view, bytes } = pool;
  const start = pool.start[slot] as number;
  const family = (bytes[start] as number) >> 4;
  if (family !== 4 && family !== 6) return -1;
  const at = start + ipHeader(family);
  const protocol = bytes[start + (family === 4 ? 9 : 6)];
  return view.getUint32(at + (protocol === PROTOCOL.TCP ? 24 : 8));
}

/** Returns the port (or ICMP identifier) the packet in `slot` is for. */
export function portOf(pool: PacketPool, slot: Slot): number {
  const start = pool.start[slot] as number;
  const family = ((pool.bytes[start] as number) >> 4) as Family;
  const protocol = pool.bytes[start + (family === 4 ? 9 : 6)];
  const isIcmp = protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6;
  return pool.view.getUint16(start + ipHeader(family) + (isIcmp ? 4 : 2));
}
