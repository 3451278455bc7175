// @hot
/**
 * The header of a datagram. The messages in a transport datagram are in `message-types.ts`, the exchange that makes a path in `exchange-messages.ts`.
 * All integers are big-endian.
 *
 *     0               1                               4
 *     | type:4 phase:1 rsv:3 | receiver index: 24      | packet number: 32               |
 *     | messages ...                                                                       |
 *     | tag, or footers of the security chain, the last one first to be stripped         |
 *
 * - The receiver index is chosen by the receiving portal during the exchange and names the path there, whatever address
 *   the datagram comes from. 0 opens an exchange.
 * - Packet numbers count the datagrams of one path and direction from 0, across changes of keys; 32 low bits travel,
 *   the receiver extends them from the largest it has seen (RFC 9000 appendix A.3).
 * - `phase` changes with the keys: the receiver has those of before and after at hand.
 */

export const HEADER_SIZE = 8;

/** Datagram types. */
export const TYPE = {
  EXCHANGE_INITIATION: 1,
  EXCHANGE_RESPONSE: 2,
  EXCHANGE_COOKIE: 3,
  TRANSPORT: 4,
} as const;

const INDEX_MASK = 0xffffff;

/** Writes a header; `index` is below 2^24, `packetNumber` any non-negative integer. */
export function writeHeader(view: DataView, offset: number, type: number, index: number, packetNumber: number): void {
  view.setUint32(offset, ((type << 28) | (index & INDEX_MASK)) >>> 0);
  view.setUint32(offset + 4, packetNumber >>> 0);
}

/** Bit of the first byte. */
const PHASE_SHIFT = 27;

/** Writes the header of a transport datagram under the keys of `phase`, 0 or 1. */
export function writeTransportHeader(
  view: DataView,
  offset: number,
  phase: number,
  index: number,
  packetNumber: number,
) {
  view.setUint32(offset, ((TYPE.TRANSPORT << 28) | (phase << PHASE_SHIFT) | (index & INDEX_MASK)) >>> 0);
  view.setUint32(offset + 4, packetNumber >>> 0);
}

export function phaseOf(view: DataView, offset: number): number {
  return (view.getUint8(offset) >>> (PHASE_SHIFT - 24)) & 1;
}

export function typeOf(view: DataView, offset: number): number {
  return view.getUint8(offset) >>> 4;
}

export function indexOf(view: DataView, offset: number): number {
  return view.getUint32(offset) & INDEX_MASK;
}

export function packetNumberOf(view: DataView, offset: number): number {
  return view.getUint32(offset + 4);
}

/**
 * Returns the packet number nearest to `expected` whose low 32 bits are `low` (RFC 9000 appendix A.3).
 * @param expected largest packet number seen plus one
 */
export function extendPacketNumber(low: number, expected: number): number {
  const span = 0x1_0000_0000;
  const candidate = Math.floor(expected / span) * span + low;
  if (candidate + span / 2 <= expected) return candidate + span;
  if (candidate > expected + span / 2 && candidate >= span) return candidate - span;
  return candidate;
}
