/**
 * Makes the error for a packet that is too big for the tunnel: ICMP "fragmentation needed" (RFC 1191) and
 * ICMPv6 "packet too big" (RFC 4443 section 3.2), quoting as much of the packet as allowed.
 */
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { PROTOCOL } from "./ip.ts";

const QUOTE_V4 = 548;
const QUOTE_V6 = 1232;

/**
 * Turns the packet in `slot` into the error that goes back to its sender, as if from its destination.
 * @param mtu next-hop MTU to report, bytes
 * @returns false if no error may be sent: to ICMP errors, multicast, broadcast or unspecified sources, or later fragments
 *   (RFC 1122 section 3.2.2, RFC 4443 section 2.4)
 */
export function turnIntoTooBig(pool: PacketPool, slot: Slot, mtu: number): boolean {
  const start = pool.start[slot] as number;
  const version = pool.view.getUint8(start) >>> 4;
  pool.flags[slot] = 0;
  return version === 4 ? tooBigV4(pool, slot, start, mtu) : tooBigV6(pool, slot, start, mtu);
}

function tooBigV4(pool: PacketPool, slot: Slot, start: number, mtu: number): boolean {
  const { view, bytes } = pool;
  const source = view.getUint32(start + 12);
  const destination = view.getUint32(start + 16);
  const header = (view.getUint8(start) & 0x0f) << 2;
  const isError = view.getUint8(start + 9) === PROTOCOL.ICMP && ![0, 8, 13, 14].includes(view.getUint8(start + header));
  if (isError || source === 0 || source >>> 28 >= 0xe || destination >>> 28 >= 0xe) return false;
  if ((view.getUint16(start + 6) & 0x1fff) !== 0) return false;
  const quoted = Math.min(pool.length[slot] as number, QUOTE_V4);
  bytes.copyWithin(start + 28, start, start + quoted);
  const total = 28 + quoted;
  bytes.fill(0, start, start + 28);
  view.setUint8(start, 0x45);
  view.setUint16(start + 2, total);
  view.setUint8(start + 8, 64);
  view.setUint8(start + 9, PROTOCOL.ICMP);
  view.setUint32(start + 12, destination);
  view.setUint32(start + 16, source);
  view.setUint16(start + 10, checksum(view, start, 20, 0));
  view.setUint8(start + 20, 3);
  view.setUint8(start + 21, 4);
  view.setUint16(start + 26, mtu);
  view.setUint16(start + 22, checksum(view, start + 20, total - 20, 0));
  pool.length[slot] = total;
  return true;
}

function tooBigV6(pool: PacketPool, slot: Slot, start: number, mtu: number): boolean {
  const { view, bytes } = pool;
  const isError = view.getUint8(start + 6) === PROTOCOL.ICMPV6 && view.getUint8(start + 40) < 128;
  const isNobody = view.getUint8(start + 8) === 0xff || sum(view, start + 8, 16) === 0;
  if (isError || isNobody) return false;
  const quoted = Math.min(pool.length[slot] as number, QUOTE_V6 - 48);
  const source = bytes.slice(start + 8, start + 24);
  const destination = bytes.slice(start + 24, start + 40);
  bytes.copyWithin(start + 48, start, start + quoted);
  bytes.fill(0, start, start + 48);
  view.setUint8(start, 0x60);
  view.setUint16(start + 4, 8 + quoted);
  view.setUint8(start + 6, PROTOCOL.ICMPV6);
  view.setUint8(start + 7, 64);
  bytes.set(destination, start + 8);
  bytes.set(source, start + 24);
  view.setUint8(start + 40, 2);
  view.setUint32(start + 44, mtu);
  const pseudo = 8 + quoted + PROTOCOL.ICMPV6 + sum(view, start + 8, 32);
  view.setUint16(start + 42, checksum(view, start + 40, 8 + quoted, pseudo));
  pool.length[slot] = 48 + quoted;
  return true;
}

function sum(view: DataView, start: number, length: number): number {
  let total = 0;
  for (let i = 0; i + 1 < length; i += 2) total += view.getUint16(start + i);
  if (length % 2 === 1) total += view.getUint8(start + length - 1) << 8;
  return total;
}

/** Returns the checksum of RFC 1071 over `length` bytes and an initial sum. */
function checksum(view: DataView, start: number, length: number, initial: number): number {
  let total = initial + sum(view, start, length);
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x1_0000);
  return ~total & 0xffff;
}
