// @hot
/**
 * PROBE and PAD, the messages without content.
 *
 *     PROBE   | 3:4 0:4 |                asks for an ACK at once                                         1
 *     PAD     | 0:4 0:4 | anything |     fills the datagram to its end; alone in it, asks for an ACK     1 + padding
 *
 * A probe in front of padding finds out whether a datagram of that size passes (DPLPMTUD, RFC 8899); padding alone fills a path to find
 * out its rate.
 */
import { MESSAGE } from "./message-types.ts";

export const PROBE_SIZE = 1;

export function writeProbe(view: DataView, at: number): number {
  view.setUint8(at, MESSAGE.PROBE << 4);
  return at + PROBE_SIZE;
}

/** Writes padding of `size` bytes, at least one. */
export function writePadding(bytes: Uint8Array, at: number, size: number): number {
  bytes.fill(MESSAGE.PAD << 4, at, at + size);
  return at + size;
}
