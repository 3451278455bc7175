// @hot
/**
 * Parses the IP header of a user's packet, IPv4 (RFC 791) or IPv6 (RFC 8200), and hashes its flow. Nothing is changed here.
 */

export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;

const IPV6_HEADER = 40;

/** The header that `parse` read last. One object, reused for every packet. */
export class ParsedHeader {
  /** 4, 6, or 0 for junk. */
  version = 0;
  /** Total length the header claims, bytes. */
  length = 0;
  /** Upper-layer protocol; for a later fragment the protocol is known but the ports are not. */
  protocol = 0;
  /** Offset from the packet's start where TCP, UDP or ICMP begins. */
  transport = 0;
  /** True for a fragment other than a whole packet. */
  isFragment = false;
  /** Differentiated services field with ECN, the whole octet. */
  trafficClass = 0;

  /**
   * Parses the packet of `length` bytes at `start`.
   * @returns false for junk: truncated, a wrong version, or lengths that do not fit
   */
  parse(view: DataView, start: number, length: number): boolean {
    this.version = 0;
    if (length < 20) return false;
    const version = view.getUint8(start) >>> 4;
    if (version === 4) return this.#four(view, start, length);
    return version === 6 && length >= IPV6_HEADER && this.#six(view, start, length);
  }

  #four(view: DataView, start: number, length: number): boolean {
    const header = (view.getUint8(start) & 0x0f) << 2;
    const total = view.getUint16(start + 2);
    if (header < 20 || total < header || total > length) return false;
    const fragment = view.getUint16(start + 6);
    this.trafficClass = view.getUint8(start + 1);
    this.length = total;
    this.protocol = view.getUint8(start + 9);
    this.transport = header;
    this.isFragment = (fragment & 0x3fff) !== 0;
    this.version = 4;
    return true;
  }

  #six(view: DataView, start: number, length: number): boolean {
    const total = IPV6_HEADER + view.getUint16(start + 4);
    if (total > length) return false;
    this.trafficClass = (view.getUint16(start) >>> 4) & 0xff;
    this.length = total;
    this.isFragment = false;
    this.version = 6;
    let next = view.getUint8(start + 6);
    let at = IPV6_HEADER;
    // Hop-by-hop, routing, fragment, destination options (RFC 8200 section 4); at most eight, or it is opaque.
    for (let hops = 0; hops < 8 && (next === 0 || next === 43 || next === 44 || next === 60); hops++) {
      if (at + 8 > total) break;
      if (next === 44) this.isFragment = true;
      const size = next === 44 ? 8 : 8 * (1 + view.getUint8(start + at + 1));
      if (at + size > total) break;
      next = view.getUint8(start + at);
      at += size;
    }
    this.protocol = next;
    this.transport = at;
    return true;
  }
}

/**
 * Returns a hash of the 5-tuple (of addresses and protocol where there are no ports), so that one flow has one value.
 * @param salt random per run, so that nobody can choose flows that share a bucket
 * @param isReversed true for the hash of the opposite direction of the flow
 * @returns an unsigned 32-bit integer
 */
export function flowHash(
  view: DataView,
  start: number,
  parsed: ParsedHeader,
  salt: number,
  isReversed = false,
): number {
  let h = (salt ^ parsed.protocol) >>> 0;
  const size = parsed.version === 4 ? 4 : 16;
  const source = start + (parsed.version === 4 ? 12 : 8);
  const first = isReversed ? source + size : source;
  const second = isReversed ? source : source + size;
  for (let i = 0; i < size; i += 4) h = mix(h, view.getUint32(first + i));
  for (let i = 0; i < size; i += 4) h = mix(h, view.getUint32(second + i));
  const hasPorts = parsed.protocol === PROTOCOL.TCP || parsed.protocol === PROTOCOL.UDP;
  if (hasPorts && !parsed.isFragment && parsed.transport + 4 <= parsed.length) {
    const both = view.getUint32(start + parsed.transport);
    h = mix(h, isReversed ? (both << 16) | (both >>> 16) : both);
  }
  return finish(h) >>> 0;
}

/**
 * Returns a hash of a TCP or UDP conversation: the same for both directions. The transport header must lie within the packet.
 * @param salt random per run
 * @returns a signed 32-bit integer
 */
export function conversationHash(view: DataView, start: number, parsed: ParsedHeader, salt: number): number {
  const from = parsed.version === 4 ? 12 : 8;
  const size = parsed.version === 4 ? 4 : 16;
  const ports = view.getUint32(start + parsed.transport);
  let source = salt ^ (ports >>> 16);
  let target = salt ^ (ports & 0xffff);
  for (let i = from; i < from + size; i += 4) {
    source = mix(source, view.getUint32(start + i));
    target = mix(target, view.getUint32(start + i + size));
  }
  return finish(mix(salt, (source + target) | 0));
}

function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Mixes a word into a hash: one round of murmur3 (public domain). */
function mix(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const x = h ^ k;
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}
