// @hot
/**
 * Arrays of struct msghdr (sys/socket.h) with their names, vectors and control buffers in one allocation, made once and
 * rewritten for every call. Each is followed by the 32-bit count of Linux' struct mmsghdr, so that one array serves
 * sendmsg, recvmsg, sendmmsg and recvmmsg. It knows layouts, not sockets.
 *
 *     count × (msghdr | msg_len) | names 32 each | vectors 16 each | control buffers
 */
import type { Layout } from "./layout.ts";
import { type Address, pointerTo, setPointer } from "./libc.ts";
import { SOCKADDR_ROOM } from "./sockaddr.ts";

const IOVEC_SIZE = 16;
const MMSGHDR_TAIL = 8;

export interface MessageShape {
  readonly count: number;
  readonly vectors: number;
  /** Bytes of each control buffer, a multiple of 8. */
  readonly control: number;
  /** One name and one control buffer for all messages, as a batch to one endpoint wants. */
  readonly isShared: boolean;
}

export class MessageArray {
  readonly layout: Layout;
  readonly shape: MessageShape;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly #base: Address;
  readonly #stride: number;
  readonly #names: number;
  readonly #nameStride: number;
  readonly #vectors: number;
  readonly #controls: number;
  readonly #controlStride: number;

  constructor(layout: Layout, shape: MessageShape) {
    this.layout = layout;
    this.shape = shape;
    const several = shape.isShared ? 1 : shape.count;
    this.#stride = layout.msghdr.size + MMSGHDR_TAIL;
    this.#nameStride = shape.isShared ? 0 : SOCKADDR_ROOM;
    this.#controlStride = shape.isShared ? 0 : shape.control;
    this.#names = shape.count * this.#stride;
    this.#vectors = this.#names + several * SOCKADDR_ROOM;
    this.#controls = this.#vectors + shape.count * shape.vectors * IOVEC_SIZE;
    const memory = new ArrayBuffer(this.#controls + several * shape.control);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.#base = pointerTo(memory);
    for (let i = 0; i < shape.count; i++) this.#point(i);
  }

  /** Address of message `i`, or of the mmsghdr array from it on. */
  address(i: number): Address {
    return this.#base + i * this.#stride;
  }

  /** Returns the offset in `bytes` of the name of message `i`. */
  nameAt(i: number): number {
    return this.#names + i * this.#nameStride;
  }

  /** Returns the offset in `bytes` of the control buffer of message `i`. */
  controlAt(i: number): number {
    return this.#controls + i * this.#controlStride;
  }

  nameLength(i: number): number {
    return this.words[(i * this.#stride + this.layout.msghdr.nameLength) >>> 2] as number;
  }

  /** FreeBSD refuses a name pointer without a whole sockaddr behind it, so none leaves no pointer. */
  setNameLength(i: number, length: number): void {
    const header = i * this.#stride;
    const pointer = (header + this.layout.msghdr.name) >>> 2;
    setPointer(this.words, pointer, length === 0 ? 0 : this.#base + this.nameAt(i));
    this.words[(header + this.layout.msghdr.nameLength) >>> 2] = length;
  }

  controlLength(i: number): number {
    return this.words[(i * this.#stride + this.layout.msghdr.controlLength) >>> 2] as number;
  }

  /** FreeBSD refuses a control pointer without a whole cmsghdr behind it, so none leaves no pointer. */
  setControlLength(i: number, length: number): void {
    const header = i * this.#stride;
    const pointer = (header + this.layout.msghdr.control) >>> 2;
    setPointer(this.words, pointer, length === 0 ? 0 : this.#base + this.controlAt(i));
    this.words[(header + this.layout.msghdr.controlLength) >>> 2] = length;
  }

  setVector(i: number, vector: number, address: Address, length: number): void {
    const at = (this.#vectors + (i * this.shape.vectors + vector) * IOVEC_SIZE) >>> 2;
    setPointer(this.words, at, address);
    this.words[at + 2] = length;
  }

  setVectorCount(i: number, count: number): void {
    this.words[(i * this.#stride + this.layout.msghdr.iovLength) >>> 2] = count;
  }

  /** Returns msg_flags of a received message. */
  flags(i: number): number {
    return this.words[(i * this.#stride + this.layout.msghdr.flags) >>> 2] as number;
  }

  /** Returns msg_len of recvmmsg; where messages are read one by one, `setLength` has set it. */
  length(i: number): number {
    return this.words[(i * this.#stride + this.layout.msghdr.size) >>> 2] as number;
  }

  setLength(i: number, length: number): void {
    this.words[(i * this.#stride + this.layout.msghdr.size) >>> 2] = length;
  }

  /**
   * Appends a control message with zeroed contents to message `i`.
   * @returns offset in `bytes` of its contents
   */
  appendControl(i: number, level: number, type: number, size: number): number {
    const { cmsghdr } = this.layout;
    const used = this.controlLength(i);
    const at = this.controlAt(i) + used;
    const space = (cmsghdr.data + size + cmsghdr.align - 1) & -cmsghdr.align;
    this.bytes.fill(0, at, at + space);
    this.words[(at + cmsghdr.length) >>> 2] = cmsghdr.data + size;
    this.words[(at + cmsghdr.level) >>> 2] = level;
    this.words[(at + cmsghdr.type) >>> 2] = type;
    this.setControlLength(i, used + space);
    return at + cmsghdr.data;
  }

  /** Returns the offset in `bytes` of the contents of a received control message of at least `size` bytes, -1 if there is none. */
  findControl(i: number, level: number, type: number, size: number): number {
    const { cmsghdr } = this.layout;
    let at = this.controlAt(i);
    const end = at + this.controlLength(i);
    while (at + cmsghdr.data <= end) {
      const length = this.words[(at + cmsghdr.length) >>> 2] as number;
      if (length < cmsghdr.size || at + length > end) return -1;
      const isSame = this.words[(at + cmsghdr.level) >>> 2] === level && this.words[(at + cmsghdr.type) >>> 2] === type;
      if (isSame && length >= cmsghdr.data + size) return at + cmsghdr.data;
      at += (length + cmsghdr.align - 1) & -cmsghdr.align;
    }
    return -1;
  }

  #point(i: number): void {
    const header = i * this.#stride;
    const vectors = this.#base + this.#vectors + i * this.shape.vectors * IOVEC_SIZE;
    setPointer(this.words, (header + this.layout.msghdr.iov) >>> 2, vectors);
    this.setVectorCount(i, 1);
  }
}
