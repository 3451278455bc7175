// @hot
/**
 * LINK: the limits that the sender has for traffic to it on this path. Sent until it is acknowledged.
 *
 *     | 9:4 0:3 METERED:1 | limit:24 |     kbit/s of IP packets, 0 for no limit                          4
 *
 * With METERED the traffic is paid for: nothing beyond need is sent.
 */
import { MESSAGE } from "./message-types.ts";

export const LINK_SIZE = 4;
const METERED = 1 << 24;
const MAX_LIMIT = 0xffffff;
/** Bytes per second of one kbit/s. */
const KBIT = 125;

/** @param limit bytes per second, rounded down to kbit/s, Infinity for none */
export function writeLink(view: DataView, at: number, isMetered: boolean, limit: number): number {
  const kbits = limit === Number.POSITIVE_INFINITY ? 0 : Math.min(MAX_LIMIT, Math.max(1, Math.floor(limit / KBIT)));
  view.setUint32(at, ((MESSAGE.LINK << 28) | (isMetered ? METERED : 0) | kbits) >>> 0);
  return at + LINK_SIZE;
}

/** Returns the limit in bytes per second, Infinity for none. */
export function linkLimit(view: DataView, at: number): number {
  const kbits = view.getUint32(at) & MAX_LIMIT;
  return kbits === 0 ? Number.POSITIVE_INFINITY : kbits * KBIT;
}

export function isLinkMetered(view: DataView, at: number): boolean {
  return (view.getUint32(at) & METERED) !== 0;
}
