/** Builds TCP and UDP packets for the tests, and checks checksums naively, byte by byte, sharing no code with src. */

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

export const TCP = { FIN: 1, SYN: 2, PSH: 8, ACK: 0x10, CWR: 0x80 } as const;

export function naiveSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += i % 2 === 0 ? (bytes[i] ?? 0) * 256 : (bytes[i] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

export function startOf(packet: Uint8Array): number {
  return packet[0] === undefined || packet[0] >> 4 === 4 ? 20 : 40;
}

function pseudo(packet: Uint8Array): Uint8Array {
  const start = startOf(packet);
  const addresses = start === 20 ? packet.slice(12, 20) : packet.slice(8, 40);
  const protocol = packet[start === 20 ? 9 : 6] ?? 0;
  const length = packet.length - start;
  return Uint8Array.from([...addresses, 0, protocol, length >> 8, length & 255]);
}

/** Whether IP header and transport checksum are right; UDP without one counts as right. */
export function isRight(packet: Uint8Array): boolean {
  const start = startOf(packet);
  if (start === 20 && naiveSum(packet.slice(0, 20)) !== 0xffff) return false;
  return naiveSum(Uint8Array.from([...pseudo(packet), ...packet.slice(start)])) === 0xffff;
}

/** Whether the checksum field holds the pseudo-header's sum alone. */
export function isPartial(packet: Uint8Array): boolean {
  const start = startOf(packet);
  const field = start + (packet[start === 20 ? 9 : 6] === 6 ? 16 : 6);
  return ((packet[field] ?? 0) << 8) + (packet[field + 1] ?? 0) === naiveSum(pseudo(packet));
}

/** A copy with the partial checksum completed by the naive sum. */
export function completed(packet: Uint8Array): Uint8Array {
  const out = packet.slice();
  const start = startOf(out);
  const field = start + (out[start === 20 ? 9 : 6] === 6 ? 16 : 6);
  const checksum = ~naiveSum(out.slice(start)) & 0xffff;
  out[field] = checksum >> 8;
  out[field + 1] = checksum & 255;
  return out;
}

export function build(shape: Shape): Uint8Array {
  const isTcp = shape.protocol === "tcp";
  const start = shape.version === 4 ? 20 : 40;
  const header = start + (isTcp ? 20 + (shape.options ?? 0) : 8);
  const out = new Uint8Array(header + shape.payload.length);
  const view = new DataView(out.buffer);
  writeIp(view, shape, out.length, isTcp ? 6 : 17);
  view.setUint16(start, shape.sourcePort ?? 1000);
  view.setUint16(start + 2, 2000);
  if (isTcp) {
    view.setUint32(start + 4, shape.sequence ?? 1);
    view.setUint32(start + 8, 77);
    view.setUint8(start + 12, (20 + (shape.options ?? 0)) << 2);
    view.setUint8(start + 13, shape.flags ?? TCP.ACK);
    view.setUint16(start + 14, shape.window ?? 512);
    for (let i = start + 20; i < header; i++) out[i] = i;
  } else view.setUint16(start + 4, out.length - start);
  out.set(shape.payload, header);
  view.setUint16(start + (isTcp ? 16 : 6), naiveSum(pseudo(out)));
  return shape.checksum === "partial" ? out : completed(out);
}

function writeIp(view: DataView, shape: Shape, total: number, protocol: number): void {
  if (shape.version === 6) {
    view.setUint32(0, 0x60000000 + ((shape.ecn ?? 0) << 20));
    view.setUint16(4, total - 40);
    view.setUint8(6, protocol);
    view.setUint8(7, 64);
    for (let i = 8; i < 40; i++) view.setUint8(i, i * 7);
    return;
  }
  view.setUint8(0, 0x45);
  view.setUint8(1, shape.ecn ?? 0);
  view.setUint16(2, total);
  view.setUint16(4, shape.id ?? 0);
  view.setUint16(6, shape.dontFragment === false ? 0 : 0x4000);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  view.setUint32(12, 0x0a000001);
  view.setUint32(16, 0x0a000002);
  view.setUint16(10, ~naiveSum(new Uint8Array(view.buffer, 0, 20)) & 0xffff);
}

/** `length` bytes that depend on `seed`. */
export function content(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
}
