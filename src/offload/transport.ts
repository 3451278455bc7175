// @hot
/**
 * Finds where TCP or UDP begins in an IP packet, which is all that the offloads need of IP. Every length is checked before it
 * is used; a packet that is malformed, a fragment or cut short has no transport.
 */
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { PROTOCOL } from "../wire/ip.ts";
import { completeChecksum } from "./checksum.ts";

/** Offset of the checksum in the TCP and the UDP header. */
export const TCP_CHECKSUM = 16;
export const UDP_CHECKSUM = 6;
export const TCP_HEADER_MIN = 20;
export const UDP_HEADER = 8;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION = 60;

/** The facts of one packet, reused for the next. Offsets count from the beginning of the IP header. */
export class Transport {
  /** 4, 6, or 0 if it is no IP packet. */
  version = 0;
  /** `PROTOCOL.TCP`, `PROTOCOL.UDP`, or 0 for everything else. */
  protocol = 0;
  /** Offset of the TCP or UDP header. */
  start = 0;
  /** Bytes of the IP packet by its header; at most the bytes there are. */
  total = 0;
  /** An IPv4 fragment or IPv6 extension header hides or precedes a transport that may be somebody's flow. */
  isOdd = false;

  /** Parses the `length` bytes at `offset`. @returns true if there is a whole TCP or UDP header */
  parse(view: DataView, offset: number, length: number): boolean {
    this.version = 0;
    this.protocol = 0;
    this.start = 0;
    this.total = 0;
    this.isOdd = true;
    if (length < 20) return false;
    const version = view.getUint8(offset) >>> 4;
    if (version === 4) return this.#parse4(view, offset, length);
    if (version === 6 && length >= 40) return this.#parse6(view, offset, length);
    return false;
  }

  #parse4(view: DataView, offset: number, length: number): boolean {
    const start = (view.getUint8(offset) & 0x0f) * 4;
    const total = view.getUint16(offset + 2);
    if (start < 20 || total < start || total > length) return false;
    this.version = 4;
    this.total = total;
    this.start = start;
    if ((view.getUint16(offset + 6) & 0x3fff) !== 0) return false;
    this.isOdd = start !== 20;
    return this.#accept(view.getUint8(offset + 9), view, offset);
  }

  #parse6(view: DataView, offset: number, length: number): boolean {
    const total = 40 + view.getUint16(offset + 4);
    if (total > length) return false;
    this.version = 6;
    this.total = total;
    let next = view.getUint8(offset + 6);
    let start = 40;
    while (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION) {
      if (start + 8 > total) return false;
      next = view.getUint8(offset + start);
      start += 8 + 8 * view.getUint8(offset + start + 1);
    }
    this.start = start;
    this.isOdd = start !== 40 || next === 44;
    return this.#accept(next, view, offset);
  }

  #accept(protocol: number, view: DataView, offset: number): boolean {
    const room = this.total - this.start;
    if (protocol === PROTOCOL.UDP && room >= UDP_HEADER) {
      this.protocol = PROTOCOL.UDP;
      return true;
    }
    if (protocol !== PROTOCOL.TCP || room < TCP_HEADER_MIN) return false;
    const header = (view.getUint8(offset + this.start + 12) >>> 4) * 4;
    if (header < TCP_HEADER_MIN || header > room) return false;
    this.protocol = PROTOCOL.TCP;
    return true;
  }
}

const transport = new Transport();

/** Completes the partial checksum of a packet in its slot, for a sink without offloads. Returns false if it has none. */
export function completePacket(pool: PacketPool, slot: Slot): boolean {
  const offset = pool.start[slot] as number;
  if (!transport.parse(pool.view, offset, pool.length[slot] as number)) return false;
  const isUdp = transport.protocol === PROTOCOL.UDP;
  completeChecksum(
    pool.view,
    offset + transport.start,
    isUdp ? UDP_CHECKSUM : TCP_CHECKSUM,
    offset + transport.total,
    isUdp,
  );
  return true;
}
