/** Builds IP packets byte by byte, for every test that needs one; shares no code with src but how addresses are written. */
import { addressOf, parseEndpoint } from "../../../src/endpoint.ts";
import { completed, naiveSum, pseudoSum } from "./checksums.ts";

export const TCP = { FIN: 1, SYN: 2, PSH: 8, ACK: 0x10, CWR: 0x80 } as const;

/** A TCP segment or UDP datagram in an IP packet; what is left out is of no importance to the test. */
export interface Shape {
  readonly version: 4 | 6;
  readonly protocol: "tcp" | "udp";
  readonly payload: Uint8Array;
  readonly sourcePort?: number;
  readonly sequence?: number;
  readonly flags?: number;
  readonly id?: number;
  readonly window?: number;
  readonly ecn?: number;
  /** Bytes of TCP options, a multiple of 4. */
  readonly options?: number;
  /** "full" (default) or the pseudo-header's sum alone. */
  readonly checksum?: "full" | "partial";
  readonly dontFragment?: boolean;
}

const PROTOCOL = { tcp: 6, udp: 17 } as const;
const DESTINATION_PORT = 2_000;

/** Returns the packet with right checksums, or with the pseudo-header's sum alone in the transport's. */
export function build(shape: Shape): Uint8Array<ArrayBuffer> {
  const transport = shape.protocol === "tcp" ? tcpOf(shape) : udpOf(shape);
  const ecn = shape.ecn ?? 0;
  const fragment = shape.dontFragment === false ? 0 : 0x4000;
  const protocol = PROTOCOL[shape.protocol];
  const out =
    shape.version === 4
      ? ipv4(protocol, transport, { tos: ecn, id: shape.id ?? 0, fragment })
      : ipv6(protocol, transport, ecn);
  const field = out.length - transport.length + (shape.protocol === "tcp" ? 16 : 6);
  new DataView(out.buffer).setUint16(field, pseudoSum(out));
  return shape.checksum === "partial" ? out : completed(out);
}

function tcpOf({ sourcePort = 1_000, sequence = 1, flags = TCP.ACK, window = 512, options = 0, payload }: Shape) {
  const out = tcp(sourcePort, DESTINATION_PORT, flags, options + payload.length);
  const view = new DataView(out.buffer);
  view.setUint32(4, sequence);
  view.setUint32(8, 77);
  view.setUint8(12, (20 + options) << 2);
  view.setUint16(14, window);
  for (let i = 20; i < 20 + options; i++) out[i] = i;
  out.set(payload, 20 + options);
  return out;
}

function udpOf({ sourcePort = 1_000, payload }: Shape) {
  const out = ports(sourcePort, DESTINATION_PORT, 8 + payload.length);
  new DataView(out.buffer).setUint16(4, out.length);
  out.set(payload, 8);
  return out;
}

/** Returns an IPv4 UDP packet of `size` bytes whose payload begins with `id`, which tells it from others. */
export function udpPacket(id: number, size = 100, port = 9): Uint8Array<ArrayBuffer> {
  const datagram = ports(1_234, port, size - 20);
  const view = new DataView(datagram.buffer);
  view.setUint16(4, datagram.length);
  view.setUint32(8, id);
  return ipv4(PROTOCOL.udp, datagram);
}

/** Returns an IPv4 packet from 10.0.0.1 to 10.0.0.2; `header` bytes of header, a multiple of 4. */
export function ipv4(
  protocol: number,
  payload: Uint8Array,
  more: { header?: number; fragment?: number; tos?: number; id?: number } = {},
): Uint8Array<ArrayBuffer> {
  const header = more.header ?? 20;
  const out = new Uint8Array(header + payload.length);
  const view = new DataView(out.buffer);
  out[0] = 0x40 | (header / 4);
  out[1] = more.tos ?? 0;
  view.setUint16(2, out.length);
  view.setUint16(4, more.id ?? 0);
  view.setUint16(6, more.fragment ?? 0);
  out[8] = 64;
  out[9] = protocol;
  out.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  out.fill(1, 20, header);
  out.set(payload, header);
  view.setUint16(10, ~naiveSum(out.slice(0, header)) & 0xffff);
  return out;
}

/** Returns an IPv6 packet from 2001:db8::1 to 2001:db8::2. */
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

/** Returns an IPv6 extension header of `size` bytes (a multiple of 8) before `next`. */
export function extension(next: number, size = 8): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  out[0] = next;
  out[1] = size / 8 - 1;
  return out;
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** Returns the beginning that TCP and UDP have in common, and zeros up to `size`. */
export function ports(source: number, destination: number, size = 20): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  new DataView(out.buffer).setUint32(0, source * 0x10000 + destination);
  return out;
}

/** Returns a TCP segment without options, its checksum left out. */
export function tcp(source: number, destination: number, flags: number, payload = 0): Uint8Array<ArrayBuffer> {
  const out = ports(source, destination, 20 + payload);
  out[12] = 0x50;
  out[13] = flags;
  return out;
}

/** Returns `length` bytes that depend on `seed`. */
export function content(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
}

/** Returns an IP packet between two addresses of one version, for example an ICMP message; checksums are left out. */
export function packetBetween(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const [from, to] = [addressBytes(source), addressBytes(destination)];
  const packet = from.length === 4 ? ipv4(protocol, payload) : ipv6(protocol, payload);
  const at = from.length === 4 ? 12 : 8;
  packet.set(from, at);
  packet.set(to, at + from.length);
  return packet;
}

function addressBytes(text: string): Uint8Array {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new Error(`no address: ${text}`);
  return addressOf(endpoint);
}
