// @hot
/**
 * Cuts the host's super-packets of TCP and UDP into segments of `gsoSize`, each in a slot of its own, and copies every other packet as it
 * is. Checksums of segments stay partial (`CHECKSUM_PARTIAL`): the far portal's
 * TUN takes them so, and only a sink without offloads adds them up.
 *
 * Cutting stops where the batch is full and goes on with the next one; it stops for good where the arena is
 * empty, and the rest counts as dropped. `hdrLen` is not used: kernels differ in what they put there.
 */
import type { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool } from "../memory/packet-pool.ts";
import { PROTOCOL } from "../wire/ip.ts";
import { TCP_FLAG } from "../wire/tcp-header.ts";
import { completeChecksum, pseudoHeaderSum, setIpv4Checksum } from "./checksum.ts";
import { TCP_CHECKSUM, TCP_HEADER_MIN, Transport, UDP_CHECKSUM, UDP_HEADER } from "./transport.ts";
import { GSO, VIRTIO_FLAG, type VirtioHeader } from "./virtio.ts";

/** Copies `length` bytes from `from` in the super-packet's memory to `to` in the arena. */
export type Copy = (to: number, from: number, length: number) => void;

const { FIN, PSH } = TCP_FLAG;
const CWR = 0x80;

export class Segmenter {
  /** Packets lost: no slot was free, the packet was malformed, or a segment is larger than a slot. */
  dropped = 0;
  readonly #pool: PacketPool;
  readonly #view: DataView;
  readonly #copy: Copy;
  readonly #transport = new Transport();
  /** The super-packet being cut; offsets are in its memory. */
  #offset = 0;
  #end = 0;
  #version = 0;
  #protocol = 0;
  /** Bytes before TCP or UDP, and of all headers together. */
  #start = 0;
  #header = 0;
  #segment = 0;
  #index = 0;
  #next = 0;

  /** @param memory holds the super-packet; @param copy copies from there to the arena */
  constructor(pool: PacketPool, memory: ArrayBuffer, copy: Copy) {
    this.#pool = pool;
    this.#view = new DataView(memory);
    this.#copy = copy;
  }

  /** True if a super-packet waits for the next batch; then `resume` must be called, and `split` must not. */
  get isPending(): boolean {
    return this.#next < this.#end;
  }

  /**
   * Cuts the packet of `length` bytes at `offset` of the memory into `batch`, which has room for at least one.
   * @returns packets appended
   */
  split(offset: number, length: number, header: VirtioHeader, batch: PacketBatch): number {
    if (header.gsoType === GSO.NONE) return this.#single(offset, length, header, batch);
    if (!this.#begin(offset, length, header)) {
      this.dropped++;
      return 0;
    }
    return this.resume(batch);
  }

  /** Continues a super-packet that did not fit the batch before. @returns packets appended */
  resume(batch: PacketBatch): number {
    let appended = 0;
    while (this.#next < this.#end && !batch.isFull) {
      const slot = this.#pool.take();
      if (slot === NO_SLOT) {
        this.dropped += Math.ceil((this.#end - this.#next) / this.#segment);
        this.#next = this.#end;
        break;
      }
      const length = Math.min(this.#segment, this.#end - this.#next);
      const at = this.#pool.start[slot] as number;
      this.#copy(at, this.#offset, this.#header);
      this.#copy(at + this.#header, this.#next, length);
      this.#next += length;
      this.#finish(at, length);
      this.#pool.length[slot] = this.#header + length;
      this.#pool.flags[slot] = PACKET_FLAG.CHECKSUM_PARTIAL;
      this.#index++;
      batch.push(slot);
      appended++;
    }
    return appended;
  }

  #single(offset: number, length: number, header: VirtioHeader, batch: PacketBatch): number {
    const slot = length > 0 && length <= this.#pool.capacity ? this.#pool.take() : NO_SLOT;
    if (slot === NO_SLOT) {
      this.dropped++;
      return 0;
    }
    const at = this.#pool.start[slot] as number;
    this.#copy(at, offset, length);
    this.#pool.length[slot] = length;
    if (header.flags & VIRTIO_FLAG.NEEDS_CSUM) this.#pool.flags[slot] = this.#partialFlag(at, length, header);
    else if (header.flags & VIRTIO_FLAG.DATA_VALID) this.#pool.flags[slot] = PACKET_FLAG.CHECKSUM_VALID;
    batch.push(slot);
    return 1;
  }

  /** The flag travels without `csumStart`: a partial checksum the far portal would not find is completed here. */
  #partialFlag(at: number, length: number, header: VirtioHeader): number {
    const t = this.#transport;
    const view = this.#pool.view;
    const field = header.csumOffset;
    if (t.parse(view, at, length) && t.start === header.csumStart) {
      if (field === (t.protocol === PROTOCOL.TCP ? TCP_CHECKSUM : UDP_CHECKSUM)) return PACKET_FLAG.CHECKSUM_PARTIAL;
    }
    if (header.csumStart + field + 2 <= length) {
      completeChecksum(view, at + header.csumStart, field, at + length, field === UDP_CHECKSUM);
    }
    return 0;
  }

  #begin(offset: number, length: number, header: VirtioHeader): boolean {
    if (length < 20 || offset + length > this.#view.byteLength) return false;
    const version = this.#view.getUint8(offset) >>> 4;
    const protocol = gsoProtocol(version, header);
    if (protocol === 0) return false;
    const size = this.#headerSize(offset, length, version, protocol, header.csumStart);
    const segment = Math.min(header.gsoSize, length - size);
    if (size === 0 || segment <= 0 || size + segment > this.#pool.capacity) return false;
    this.#version = version;
    this.#protocol = protocol;
    this.#offset = offset;
    this.#end = offset + length;
    this.#start = header.csumStart;
    this.#header = size;
    this.#segment = segment;
    this.#index = 0;
    this.#next = offset + size;
    return true;
  }

  /** Returns the bytes of all headers, 0 if they do not fit the packet or contradict each other. */
  #headerSize(offset: number, length: number, version: number, protocol: number, start: number): number {
    const view = this.#view;
    const isTcp = protocol === PROTOCOL.TCP;
    if (version === 4 ? start < 20 || start !== (view.getUint8(offset) & 0x0f) * 4 : start < 40) return 0;
    if (start + (isTcp ? TCP_HEADER_MIN : UDP_HEADER) > length) return 0;
    if (!isTcp) return start + UDP_HEADER;
    const tcp = (view.getUint8(offset + start + 12) >>> 4) * 4;
    return tcp < TCP_HEADER_MIN || start + tcp > length ? 0 : start + tcp;
  }

  /** Makes the copied headers those of this segment, with `payload` bytes, `#next` already behind it. */
  #finish(at: number, payload: number): void {
    const view = this.#pool.view;
    const total = this.#header + payload;
    if (this.#version === 4) {
      view.setUint16(at + 2, total);
      view.setUint16(at + 4, (view.getUint16(at + 4) + this.#index) & 0xffff);
      setIpv4Checksum(view, at, this.#start);
    } else view.setUint16(at + 4, total - 40);
    const l4 = at + this.#start;
    const length = total - this.#start;
    const sum = pseudoHeaderSum(view, at, this.#version, this.#protocol, length);
    if (this.#protocol === PROTOCOL.UDP) {
      view.setUint16(l4 + 4, length);
      view.setUint16(l4 + UDP_CHECKSUM, sum);
      return;
    }
    view.setUint32(l4 + 4, (view.getUint32(l4 + 4) + this.#index * this.#segment) >>> 0);
    let flags = view.getUint8(l4 + 13);
    if (this.#index > 0) flags &= ~CWR;
    if (this.#next < this.#end) flags &= ~(FIN | PSH);
    view.setUint8(l4 + 13, flags);
    view.setUint16(l4 + TCP_CHECKSUM, sum);
  }
}

/** Returns the protocol of a super-packet, 0 if its virtio header is invalid. */
function gsoProtocol(version: number, header: VirtioHeader): number {
  if (!(header.flags & VIRTIO_FLAG.NEEDS_CSUM)) return 0;
  const type = header.gsoType & ~GSO.ECN;
  const tcp = version === 4 ? GSO.TCPV4 : version === 6 ? GSO.TCPV6 : -1;
  if (type === tcp) return header.csumOffset === TCP_CHECKSUM ? PROTOCOL.TCP : 0;
  const isUdp = tcp >= 0 && type === GSO.UDP_L4 && header.csumOffset === UDP_CHECKSUM;
  return isUdp ? PROTOCOL.UDP : 0;
}
