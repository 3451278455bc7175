// @hot
/** Explicit congestion notification in the user's packets (RFC 3168): marks packets whose senders take marks. */

const NOT_ECT = 0;
const CE = 3;

/**
 * Marks the packet at `start` as having met congestion; the IPv4 header's checksum is updated (RFC 1624).
 * @returns false if its sender does not take marks; a packet already marked counts as taken
 */
export function markCongestion(view: DataView, start: number): boolean {
  const version = view.getUint8(start) >>> 4;
  // The octet with the ECN bits is shared out over two in IPv6: its low half is the high half of the second.
  const at = start + 1;
  const shift = version === 4 ? 0 : 4;
  const octet = view.getUint8(at);
  const ecn = (octet >>> shift) & 3;
  if (ecn === NOT_ECT) return false;
  if (ecn === CE) return true;
  view.setUint8(at, octet | (CE << shift));
  if (version === 4) updateHeader(view, start + 10, CE - ecn);
  return true;
}

/** The sum over the header grew by `more` in a low octet, so its complement shrinks by that. */
function updateHeader(view: DataView, at: number, more: number): void {
  const sum = (~view.getUint16(at) & 0xffff) + more;
  view.setUint16(at, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
}
