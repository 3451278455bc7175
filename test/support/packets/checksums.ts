/** Checks the checksums of packets naively, byte by byte, sharing no code with src. */

const ICMPV6 = 58;

export function naiveSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += i % 2 === 0 ? (bytes[i] ?? 0) * 256 : (bytes[i] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

/** Returns where the transport's header begins, in a packet without IP options or extension headers. */
export function startOf(packet: Uint8Array): number {
  return packet[0] === undefined || packet[0] >> 4 === 4 ? 20 : 40;
}

function pseudoHeader(packet: Uint8Array): Uint8Array {
  const start = startOf(packet);
  const addresses = start === 20 ? packet.slice(12, 20) : packet.slice(8, 40);
  const protocol = packet[start === 20 ? 9 : 6] ?? 0;
  const length = packet.length - start;
  return Uint8Array.from([...addresses, 0, protocol, length >> 8, length & 255]);
}

export function pseudoSum(packet: Uint8Array): number {
  return naiveSum(pseudoHeader(packet));
}

/** Returns where the transport's checksum is. */
function fieldOf(packet: Uint8Array): number {
  const start = startOf(packet);
  return start + (packet[start === 20 ? 9 : 6] === 6 ? 16 : 6);
}

/** True if IP header and transport checksum are right; UDP without one counts as right. */
export function isRight(packet: Uint8Array): boolean {
  const start = startOf(packet);
  if (start === 20 && naiveSum(packet.slice(0, 20)) !== 0xffff) return false;
  return naiveSum(Uint8Array.from([...pseudoHeader(packet), ...packet.slice(start)])) === 0xffff;
}

/** True if the checksum of an ICMPv6 packet is right. */
export function isIcmpv6Right(packet: Uint8Array): boolean {
  return packet[6] === ICMPV6 && isRight(packet);
}

/** True if the checksum field holds the pseudo-header's sum alone. */
export function isPartial(packet: Uint8Array): boolean {
  const field = fieldOf(packet);
  return ((packet[field] ?? 0) << 8) + (packet[field + 1] ?? 0) === pseudoSum(packet);
}

/** Returns a copy with the partial checksum completed by the naive sum. */
export function completed(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = Uint8Array.from(packet);
  const field = fieldOf(out);
  const checksum = ~naiveSum(out.slice(startOf(out))) & 0xffff;
  out[field] = checksum >> 8;
  out[field + 1] = checksum & 255;
  return out;
}
