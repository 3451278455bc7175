// @hot
/**
 * Clamps the maximum segment size that TCP hosts announce (RFC 9293 section 3.7.1) to what crosses the tunnel whole,
 * so that no host depends on path MTU discovery working.
 */
import { type ParsedHeader, PROTOCOL } from "./ip.ts";
import { TCP_FLAG, TCP_HEADER, tcpFlags, tcpHeaderSize } from "./tcp-header.ts";

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;

/**
 * Lowers the MSS option of a SYN in place and updates the checksum (RFC 1624), unless it is only the pseudo-header's sum.
 * @param mtu largest inner packet, bytes
 * @returns true if the packet was changed
 */
export function clampMss(
  view: DataView,
  start: number,
  parsed: ParsedHeader,
  mtu: number,
  checksumPartial: boolean,
): boolean {
  if (!isSyn(view, start, parsed)) return false;
  const tcp = start + parsed.transport;
  const end = start + parsed.length;
  const header = tcpHeaderSize(view, tcp);
  if (header < TCP_HEADER || tcp + header > end) return false;
  const at = findMss(view, tcp + TCP_HEADER, tcp + header);
  if (at < 0) return false;
  const limit = mtu - (parsed.version === 4 ? 20 : 40) - TCP_HEADER;
  const old = view.getUint16(at);
  if (old <= limit) return false;
  view.setUint16(at, limit);
  if (!checksumPartial) updateChecksum(view, tcp + 16, at - tcp, old, limit);
  return true;
}

/** True if the packet opens a TCP connection, or answers that. */
export function isSyn(view: DataView, start: number, parsed: ParsedHeader): boolean {
  if (parsed.protocol !== PROTOCOL.TCP || parsed.isFragment) return false;
  if (parsed.transport + TCP_HEADER > parsed.length) return false;
  return (tcpFlags(view, start + parsed.transport) & TCP_FLAG.SYN) !== 0;
}

/** Returns the offset of the option's value, or -1. */
function findMss(view: DataView, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPTION_END) return -1;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end) return -1;
    const size = view.getUint8(at + 1);
    if (size < 2 || at + size > end) return -1;
    if (kind === OPTION_MSS) return size === 4 ? at + 2 : -1;
    at += size;
  }
  return -1;
}

/** Updates a checksum by equation 3 of RFC 1624. A value at an odd offset counts with its octets swapped. */
function updateChecksum(view: DataView, checksumAt: number, offset: number, before: number, after: number): void {
  const odd = (offset & 1) !== 0;
  const m = odd ? ((before & 0xff) << 8) | (before >>> 8) : before;
  const n = odd ? ((after & 0xff) << 8) | (after >>> 8) : after;
  let sum = (~view.getUint16(checksumAt) & 0xffff) + (~m & 0xffff) + n;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(checksumAt, ~sum & 0xffff);
}
