/** Hand-made IP packets, and an ICMP checksum added up byte by byte; shares no code with src. */
import { naiveSum } from "../offload/packets.ts";

/** An IPv4 packet; `header` bytes of header, a multiple of 4. */
export function ipv4(
  protocol: number,
  payload: Uint8Array,
  more: { header?: number; fragment?: number; tos?: number } = {},
): Uint8Array<ArrayBuffer> {
  const header = more.header ?? 20;
  const out = new Uint8Array(header + payload.length);
  const view = new DataView(out.buffer);
  out[0] = 0x40 | (header / 4);
  out[1] = more.tos ?? 0;
  view.setUint16(2, out.length);
  view.setUint16(6, more.fragment ?? 0);
  out[8] = 64;
  out[9] = protocol;
  out.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  out.fill(1, 20, header);
  out.set(payload, header);
  view.setUint16(10, ~naiveSum(out.slice(0, header)) & 0xffff);
  return out;
}

/** An IPv6 packet from 2001:db8::1 to 2001:db8::2. */
export function ipv6(next: number, payload: Uint8Array, trafficClass = 0): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(40 + payload.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x60000000 + trafficClass * 0x100000);
  view.setUint16(4, payload.length);
  out[6] = next;
  out[7] = 64;
  out.set([0x20, 0x01, 0x0d, 0xb8], 8);
  out[23] = 1;
  out.set([0x20, 0x01, 0x0d, 0xb8], 24);
  out[39] = 2;
  out.set(payload, 40);
  return out;
}

/** An IPv6 extension header of `size` bytes (a multiple of 8) before `next`. */
export function extension(next: number, size = 8): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  out[0] = next;
  out[1] = size / 8 - 1;
  return out;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function ports(source: number, destination: number, size = 20): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  new DataView(out.buffer).setUint32(0, source * 0x10000 + destination);
  return out;
}

/** A TCP segment without options, its checksum left out. */
export function tcp(source: number, destination: number, flags: number, payload = 0): Uint8Array<ArrayBuffer> {
  const out = ports(source, destination, 20 + payload);
  out[12] = 0x50;
  out[13] = flags;
  return out;
}

/** Whether the ICMPv6 checksum of the packet is right. */
export function isIcmpv6Right(packet: Uint8Array): boolean {
  const length = packet.length - 40;
  const pseudo = Uint8Array.from([...packet.slice(8, 40), 0, 0, length >> 8, length & 255, 0, 0, 0, 58]);
  return naiveSum(join(pseudo, packet.slice(40))) === 0xffff;
}
