// @hot
/**
 * The Internet checksum (RFC 1071) and the partial checksum of TCP and UDP, whose
 * field holds the folded sum of the pseudo-header alone until somebody adds the rest.
 * Sums are 16-bit, big-endian and not complemented unless a name says "checksum". Offsets count from the beginning of the view.
 */

/** Adds the two halves of a sum below 2^32 until it fits 16 bits. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** Returns the folded sum of `length` bytes at `offset`, at most 64 KiB; an odd last byte counts as the upper half of a word. */
export function sum16(view: DataView, offset: number, length: number): number {
  // In the machine's own order, swapped once at the end (RFC 1071 section 2 B). 32768 words stay below 2^31.
  let sum = 0;
  let at = offset;
  const end = offset + length;
  for (const unrolled = end - 15; at < unrolled; at += 16) {
    sum +=
      view.getUint16(at, true) +
      view.getUint16(at + 2, true) +
      view.getUint16(at + 4, true) +
      view.getUint16(at + 6, true) +
      view.getUint16(at + 8, true) +
      view.getUint16(at + 10, true) +
      view.getUint16(at + 12, true) +
      view.getUint16(at + 14, true);
  }
  for (; at + 1 < end; at += 2) sum += view.getUint16(at, true);
  if (at < end) sum += view.getUint8(at);
  const folded = fold(sum);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/**
 * Returns the folded sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).
 * @param ip offset of the IP header, `version` 4 or 6; `length` of TCP or UDP header and payload
 */
export function pseudoHeaderSum(view: DataView, ip: number, version: number, protocol: number, length: number): number {
  const addresses = version === 4 ? sum16(view, ip + 12, 8) : sum16(view, ip + 8, 32);
  return fold(addresses + protocol + (length >>> 16) + (length & 0xffff));
}

/** Writes the IPv4 header checksum of a header of `size` bytes. */
export function setIpv4Checksum(view: DataView, ip: number, size: number): void {
  view.setUint16(ip + 10, 0);
  view.setUint16(ip + 10, ~sum16(view, ip, size) & 0xffff);
}

/** Turns a partial checksum into a full one: `start` of TCP or UDP, the field `field` bytes behind, up to `end`. */
export function completeChecksum(view: DataView, start: number, field: number, end: number, isUdp: boolean): void {
  // The field's own content is the pseudo-header's sum, so it is summed along.
  const checksum = ~sum16(view, start, end - start) & 0xffff;
  view.setUint16(start + field, isUdp && checksum === 0 ? 0xffff : checksum);
}

/** True if a full checksum is right: everything with the pseudo-header adds up to -0. */
export function isChecksumRight(
  view: DataView,
  ip: number,
  version: number,
  protocol: number,
  start: number,
  end: number,
): boolean {
  const length = end - start;
  return fold(sum16(view, start, length) + pseudoHeaderSum(view, ip, version, protocol, length)) === 0xffff;
}
