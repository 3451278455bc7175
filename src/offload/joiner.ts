// @hot
/**
 * Groups the packets on their way to the host, so that one write hands over many: consecutive TCP segments of a flow
 * (and UDP datagrams of one size, where the TUN takes them) become one super-packet behind one virtio header. Payloads
 * stay in their slots; the headers of the first packet are rewritten in its slot.
 *
 * Order inside a flow is kept, flows may overtake each other: a flow has at most one open group, and a packet that
 * does not fit it closes it and begins the next. A packet whose flow is not seen (fragment, extension header)
 * closes all of them.
 *
 * A super-packet carries a partial checksum, so after joining nobody checks the senders' checksums any more. A packet may join if its
 * checksum is partial already (it came from a local kernel) or was verified by one (`CHECKSUM_VALID`). A full checksum is verified here,
 * but only when two packets would join otherwise, so single packets cost nothing. A packet with a wrong one is written alone and
 * unchanged, and the host drops it.
 */
import { assert } from "../errors.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import { PACKET_FLAG, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import { PROTOCOL } from "../wire/ip.ts";
import { TCP_FLAG } from "../wire/tcp-header.ts";
import { isChecksumRight, pseudoHeaderSum, setIpv4Checksum } from "./checksum.ts";
import { TCP_CHECKSUM, Transport, UDP_CHECKSUM, UDP_HEADER } from "./transport.ts";
import { GSO, VIRTIO_FLAG, VIRTIO_SIZE, VirtioHeader } from "./virtio.ts";

/** Packets in one super-packet: the bound for UDP of kernels before 6.9 (UDP_MAX_SEGMENTS). */
export const MAX_JOINED = 62;
const MAX_TOTAL = 65_535;
const { ACK, PSH } = TCP_FLAG;
const DONT_FRAGMENT = 0x40;
const BUCKETS = 64;
const NONE = -1;

export class Joiner {
  /** Groups of the last batch, each one write. */
  groups = 0;
  /** Group `g` consists of the pieces `firstPiece[g]` up to, but not including, `firstPiece[g + 1]`. */
  readonly firstPiece: Int32Array;
  /** Offsets in the arena and lengths. */
  readonly pieceOffset: Uint32Array;
  readonly pieceLength: Uint32Array;
  /** The virtio header of group `g` is at `VIRTIO_SIZE * g`. */
  readonly headers: ArrayBuffer;
  /** Number of super-packets made. */
  superPackets = 0;

  readonly #pool: PacketPool;
  readonly #udp: boolean;
  readonly #headerView: DataView;
  readonly #transport = new Transport();
  readonly #virtio = new VirtioHeader();
  readonly #open = new Int32Array(new ArrayBuffer(4 * BUCKETS));
  // By position in the batch: the next of the same group, the sizes of header and payload, and the state of the checksum.
  readonly #nextOf: Int32Array;
  readonly #headerSize: Uint16Array;
  readonly #payload: Uint16Array;
  readonly #known: Uint8Array;
  // By group, `#payloads` being the bytes of all payloads; `#size` 0 where nothing may join.
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #members: Uint8Array;
  readonly #payloads: Uint32Array;
  readonly #size: Uint16Array;
  readonly #start: Uint16Array;
  readonly #protocol: Uint8Array;

  /** @param capacity packets in the largest batch; @param udp true if the TUN takes UDP super-packets */
  constructor(pool: PacketPool, capacity: number, udp: boolean) {
    this.#pool = pool;
    this.#udp = udp;
    this.firstPiece = new Int32Array(new ArrayBuffer(4 * (capacity + 1)));
    this.pieceOffset = new Uint32Array(new ArrayBuffer(4 * capacity));
    this.pieceLength = new Uint32Array(new ArrayBuffer(4 * capacity));
    this.headers = new ArrayBuffer(VIRTIO_SIZE * capacity);
    this.#headerView = new DataView(this.headers);
    this.#nextOf = new Int32Array(new ArrayBuffer(4 * capacity));
    this.#headerSize = new Uint16Array(new ArrayBuffer(2 * capacity));
    this.#payload = new Uint16Array(new ArrayBuffer(2 * capacity));
    this.#known = new Uint8Array(new ArrayBuffer(capacity));
    this.#first = new Int32Array(new ArrayBuffer(4 * capacity));
    this.#last = new Int32Array(new ArrayBuffer(4 * capacity));
    this.#members = new Uint8Array(new ArrayBuffer(capacity));
    this.#payloads = new Uint32Array(new ArrayBuffer(4 * capacity));
    this.#size = new Uint16Array(new ArrayBuffer(2 * capacity));
    this.#start = new Uint16Array(new ArrayBuffer(2 * capacity));
    this.#protocol = new Uint8Array(new ArrayBuffer(capacity));
  }

  /** Groups the whole batch, at most `capacity` packets; the results hold until the next call. */
  join(batch: PacketBatch): void {
    assert(batch.count <= this.#nextOf.length, "a batch to join fits the joiner");
    this.groups = 0;
    this.#open.fill(NONE);
    for (let i = 0; i < batch.count; i++) this.#add(batch, i);
    let piece = 0;
    for (let g = 0; g < this.groups; g++) {
      this.firstPiece[g] = piece;
      piece = this.#describe(batch, g, piece);
    }
    this.firstPiece[this.groups] = piece;
  }

  #add(batch: PacketBatch, i: number): void {
    const slot = batch.at(i);
    const t = this.#transport;
    const offset = this.#pool.start[slot] as number;
    const length = this.#pool.length[slot] as number;
    this.#nextOf[i] = NONE;
    this.#known[i] = 0;
    if (!t.parse(this.#pool.view, offset, length) || t.isOdd || t.total !== length || length > MAX_TOTAL) {
      this.#begin(i, 0);
      if (t.isOdd) this.#open.fill(NONE);
      return;
    }
    const size = this.#measure(i, offset, length);
    const bucket = this.#bucket(offset);
    const group = this.#open[bucket] as number;
    if (group !== NONE && size > 0 && this.#fits(batch, group, i, slot, size)) {
      this.#append(group, i, size);
      if (size < (this.#size[group] as number) || this.#pushes(offset)) this.#size[group] = 0;
      return;
    }
    // A PSH ends its group, so a first packet with PSH stays alone.
    this.#open[bucket] = this.#begin(i, this.#pushes(offset) ? 0 : size);
  }

  /** Notes header and payload sizes. @returns bytes of payload, 0 when the packet must not join */
  #measure(i: number, offset: number, length: number): number {
    const t = this.#transport;
    const view = this.#pool.view;
    const l4 = offset + t.start;
    const isTcp = t.protocol === PROTOCOL.TCP;
    const header = t.start + (isTcp ? (view.getUint8(l4 + 12) >>> 4) * 4 : UDP_HEADER);
    this.#headerSize[i] = header;
    this.#payload[i] = length - header;
    if (isTcp) return (view.getUint8(l4 + 13) & ~PSH) === ACK ? length - header : 0;
    const hasSum = view.getUint16(l4 + UDP_CHECKSUM) !== 0;
    return this.#udp && hasSum && view.getUint16(l4 + 4) === length - t.start ? length - header : 0;
  }

  #pushes(offset: number): boolean {
    const t = this.#transport;
    return t.protocol === PROTOCOL.TCP && (this.#pool.view.getUint8(offset + t.start + 13) & PSH) !== 0;
  }

  #bucket(offset: number): number {
    const t = this.#transport;
    const view = this.#pool.view;
    const source = offset + (t.version === 4 ? 12 : 20);
    const target = offset + (t.version === 4 ? 16 : 36);
    let hash = view.getUint32(source) ^ view.getUint32(target) ^ view.getUint32(offset + t.start) ^ t.protocol;
    hash ^= hash >>> 16;
    hash ^= hash >>> 8;
    return (hash ^ (hash >>> 5)) & (BUCKETS - 1);
  }

  #begin(i: number, size: number): number {
    const group = this.groups++;
    const t = this.#transport;
    this.#first[group] = i;
    this.#last[group] = i;
    this.#members[group] = 1;
    this.#payloads[group] = size;
    this.#size[group] = size;
    this.#start[group] = t.start;
    this.#protocol[group] = t.protocol;
    return group;
  }

  #append(group: number, i: number, size: number): void {
    this.#nextOf[this.#last[group] as number] = i;
    this.#last[group] = i;
    this.#members[group] = (this.#members[group] as number) + 1;
    this.#payloads[group] = (this.#payloads[group] as number) + size;
  }

  #fits(batch: PacketBatch, group: number, i: number, slot: Slot, size: number): boolean {
    const first = this.#first[group] as number;
    const header = this.#headerSize[first] as number;
    const payloads = this.#payloads[group] as number;
    if (size > (this.#size[group] as number) || (this.#members[group] as number) >= MAX_JOINED) return false;
    if (header !== this.#headerSize[i] || header + payloads + size > MAX_TOTAL) return false;
    const a = this.#pool.start[batch.at(first)] as number;
    const b = this.#pool.start[slot] as number;
    const same = this.#transport.version === 4 ? this.#sameIpv4(a, b, group) : this.#sameIpv6(a, b);
    return (
      same &&
      this.#follows(a, b, header, payloads) &&
      this.#isTrusted(first, batch.at(first)) &&
      this.#isTrusted(i, slot)
    );
  }

  #sameIpv4(a: number, b: number, group: number): boolean {
    const view = this.#pool.view;
    // Version and type of service; flags and fragment; time to live and protocol; addresses.
    if (view.getUint16(a) !== view.getUint16(b) || view.getUint16(a + 6) !== view.getUint16(b + 6)) return false;
    if (view.getUint16(a + 8) !== view.getUint16(b + 8)) return false;
    if (view.getUint32(a + 12) !== view.getUint32(b + 12) || view.getUint32(a + 16) !== view.getUint32(b + 16))
      return false;
    if ((view.getUint8(a + 6) & DONT_FRAGMENT) !== 0) return true;
    // Without DF the identification means something, and cutting again counts it up.
    return ((view.getUint16(a + 4) + (this.#members[group] as number)) & 0xffff) === view.getUint16(b + 4);
  }

  #sameIpv6(a: number, b: number): boolean {
    const view = this.#pool.view;
    if (view.getUint32(a) !== view.getUint32(b) || view.getUint16(a + 6) !== view.getUint16(b + 6)) return false;
    for (let k = 8; k < 40; k += 4) if (view.getUint32(a + k) !== view.getUint32(b + k)) return false;
    return true;
  }

  /** True if the ports are the same and, for TCP, the sequence number is the next, with the same acknowledgement, window and options. */
  #follows(a: number, b: number, header: number, payloads: number): boolean {
    const view = this.#pool.view;
    const t = this.#transport;
    const x = a + t.start;
    const y = b + t.start;
    if (view.getUint8(a + (t.version === 4 ? 9 : 6)) !== t.protocol || view.getUint32(x) !== view.getUint32(y))
      return false;
    if (t.protocol === PROTOCOL.UDP) return true;
    if ((view.getUint32(x + 4) + payloads) >>> 0 !== view.getUint32(y + 4)) return false;
    if (view.getUint32(x + 8) !== view.getUint32(y + 8)) return false;
    if (view.getUint8(x + 12) !== view.getUint8(y + 12) || view.getUint16(x + 14) !== view.getUint16(y + 14))
      return false;
    if (view.getUint16(x + 18) !== view.getUint16(y + 18)) return false;
    const options = header - t.start;
    for (let k = 20; k < options; k += 4) if (view.getUint32(x + k) !== view.getUint32(y + k)) return false;
    return true;
  }

  /** True if the packet at position `i` of the batch has a right checksum, which is computed once. */
  #isTrusted(i: number, slot: Slot): boolean {
    if (this.#known[i] === 0) {
      const t = this.#transport;
      const flags = this.#pool.flags[slot] as number;
      const offset = this.#pool.start[slot] as number;
      const right =
        (flags & (PACKET_FLAG.CHECKSUM_PARTIAL | PACKET_FLAG.CHECKSUM_VALID)) !== 0 ||
        // Both packets of the question have the same header sizes, so the parsed header serves the first one too.
        isChecksumRight(
          this.#pool.view,
          offset,
          t.version,
          t.protocol,
          offset + t.start,
          offset + (this.#pool.length[slot] as number),
        );
      this.#known[i] = right ? 1 : 2;
    }
    return this.#known[i] === 1;
  }

  /** Writes the group's pieces from index `piece` on, and its virtio header. @returns the next free index */
  #describe(batch: PacketBatch, group: number, piece: number): number {
    const first = this.#first[group] as number;
    const slot = batch.at(first);
    const pool = this.#pool;
    this.pieceOffset[piece] = pool.start[slot] as number;
    this.pieceLength[piece] = pool.length[slot] as number;
    this.#virtio.clear();
    let at = piece + 1;
    for (let i = this.#nextOf[first] as number; i !== NONE; i = this.#nextOf[i] as number) {
      this.pieceOffset[at] = (pool.start[batch.at(i)] as number) + (this.#headerSize[i] as number);
      this.pieceLength[at++] = this.#payload[i] as number;
    }
    if (at > piece + 1) this.#merge(batch, group, first, slot);
    else this.#describeSingle(slot, group);
    this.#virtio.write(this.#headerView, VIRTIO_SIZE * group);
    return at;
  }

  #describeSingle(slot: Slot, group: number): void {
    const flags = this.#pool.flags[slot] as number;
    const protocol = this.#protocol[group] as number;
    if (flags & PACKET_FLAG.CHECKSUM_PARTIAL && protocol !== 0) this.#needChecksum(group);
    else if (flags & PACKET_FLAG.CHECKSUM_VALID) this.#virtio.flags = VIRTIO_FLAG.DATA_VALID;
  }

  #needChecksum(group: number): void {
    this.#virtio.flags = VIRTIO_FLAG.NEEDS_CSUM;
    this.#virtio.csumStart = this.#start[group] as number;
    this.#virtio.csumOffset = this.#protocol[group] === PROTOCOL.TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
  }

  /** Makes the first packet's headers those of the whole super-packet. */
  #merge(batch: PacketBatch, group: number, first: number, slot: Slot): void {
    const view = this.#pool.view;
    const at = this.#pool.start[slot] as number;
    const start = this.#start[group] as number;
    const protocol = this.#protocol[group] as number;
    const header = this.#headerSize[first] as number;
    const total = header + (this.#payloads[group] as number);
    const isIpv4 = view.getUint8(at) >>> 4 === 4;
    if (isIpv4) {
      view.setUint16(at + 2, total);
      setIpv4Checksum(view, at, start);
    } else view.setUint16(at + 4, total - 40);
    const l4 = at + start;
    const sum = pseudoHeaderSum(view, at, isIpv4 ? 4 : 6, protocol, total - start);
    if (protocol === PROTOCOL.TCP) {
      const last = batch.at(this.#last[group] as number);
      const flags = view.getUint8((this.#pool.start[last] as number) + start + 13);
      view.setUint8(l4 + 13, view.getUint8(l4 + 13) | (flags & PSH));
      view.setUint16(l4 + TCP_CHECKSUM, sum);
      this.#virtio.gsoType = isIpv4 ? GSO.TCPV4 : GSO.TCPV6;
    } else {
      view.setUint16(l4 + 4, total - start);
      view.setUint16(l4 + UDP_CHECKSUM, sum);
      this.#virtio.gsoType = GSO.UDP_L4;
    }
    this.#needChecksum(group);
    this.#virtio.hdrLen = header;
    this.#virtio.gsoSize = this.#payload[first] as number;
    this.superPackets++;
  }
}
