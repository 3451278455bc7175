// @hot
/**
 * Datagrams one by one between a socket and slots, without segmentation offload: many in one recvmmsg or sendmmsg
 * where the library has them, else one system call each. Received bytes land in their slot directly.
 * It knows sockets and slots, but not the kind of socket, except for an IP header in front to be cut off.
 */
import type { Endpoint } from "../src/endpoint.ts";
import type { PacketBatch } from "../src/memory/packet-batch.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../src/memory/packet-pool.ts";
import { type Address, pointerTo } from "./libc.ts";
import { appendLocalAddress, readLocalAddress } from "./local-address.ts";
import { MessageArray } from "./message.ts";
import { readSockaddr, SOCKADDR_ROOM, writeSockaddr } from "./sockaddr.ts";
import type { OpenedSocket } from "./socket.ts";
import type { SocketCounters } from "./socket-counters.ts";
import type { SocketSystem } from "./socket-system.ts";

/** Datagrams in one call. */
const MAX_MESSAGES = 32;
/** Room for the control messages of local address (36) and segment size (24), and some the host may add. */
export const CONTROL_ROOM = 128;
/** Asynchronous errors in a row that one receiving call puts up with before it gives way to other sockets. */
const MAX_ERRORS = 8;
/** An IPv4 header without options; it is read in front of where the datagram belongs. */
const IP_HEADER = 20;

/** The parts that reader and writer of one socket share. */
export interface DatagramSocket {
  readonly system: SocketSystem;
  readonly pool: PacketPool;
  readonly opened: OpenedSocket;
  readonly counters: SocketCounters;
  /** True if the kernel tells and takes the local address of each datagram. */
  readonly tellsLocal: boolean;
  /** Value of `batch.local` if the kernel does not tell: the bound endpoint, or none. */
  readonly fixedLocal: Endpoint;
  /** True if received datagrams begin with their IPv4 header. */
  readonly hasIpHeader: boolean;
}

export class DatagramReader {
  readonly #socket: DatagramSocket;
  readonly #messages: MessageArray;
  readonly #slots = new Int32Array(new ArrayBuffer(4 * MAX_MESSAGES));
  readonly #base: Address;
  readonly #lead: number;
  /** Bytes from where a datagram begins to the end of its slot. */
  readonly #room: number;
  /** Messages read but not handed over, as they came from another sender than those before. */
  #next = 0;
  #count = 0;
  /** Messages to prepare: grows with those found, so that an idle socket costs little. */
  #ambition = 2;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    const shape = { count: MAX_MESSAGES, vectors: 1, control: CONTROL_ROOM, isShared: false };
    this.#messages = new MessageArray(socket.system.layout, shape);
    this.#base = pointerTo(socket.pool.memory);
    this.#lead = socket.hasIpHeader ? IP_HEADER : 0;
    this.#room = socket.pool.slotSize - socket.pool.datagramOrigin(0);
  }

  get hasPending(): boolean {
    return this.#next < this.#count;
  }

  receive(batch: PacketBatch): number {
    const space = batch.capacity - batch.count;
    if (space === 0) return 0;
    if (this.#next === this.#count) this.#fill(space);
    return this.#handOver(batch);
  }

  /** Gives back the slots of datagrams that were not handed over. */
  close(): void {
    while (this.#next < this.#count) this.#socket.pool.release(this.#slots[this.#next++] as Slot);
  }

  #fill(space: number): void {
    this.#next = 0;
    this.#count = 0;
    const wanted = Math.min(space, this.#ambition, MAX_MESSAGES);
    const prepared = this.#prepare(wanted);
    if (prepared === 0) {
      this.#discard();
      return;
    }
    const count = this.#read(prepared);
    for (let i = count; i < prepared; i++) this.#socket.pool.release(this.#slots[i] as Slot);
    this.#count = count;
    this.#ambition = count === wanted ? Math.min(2 * wanted, MAX_MESSAGES) : Math.max(count + 1, 2);
  }

  #prepare(wanted: number): number {
    const { pool } = this.#socket;
    for (let i = 0; i < wanted; i++) {
      const slot = pool.take();
      if (slot === NO_SLOT) return i;
      this.#slots[i] = slot;
      const at = pool.datagramOrigin(slot) - this.#lead;
      this.#messages.setVector(i, 0, this.#base + at, this.#room + this.#lead);
      this.#expect(i);
    }
    return wanted;
  }

  #expect(i: number): void {
    this.#messages.setNameLength(i, SOCKADDR_ROOM);
    this.#messages.setControlLength(i, this.#socket.tellsLocal ? CONTROL_ROOM : 0);
  }

  /** Without a slot a datagram is read into nothing, so that a full arena cannot keep the poll awake for ever. */
  #discard(): void {
    this.#messages.setVector(0, 0, 0, 0);
    this.#expect(0);
    this.#socket.counters.noSlot += this.#read(1);
  }

  #read(prepared: number): number {
    const { libc, layout, numbers } = this.#socket.system;
    for (let tries = 0; tries < MAX_ERRORS; tries++) {
      const count =
        numbers.hasMultipleMessages && libc.recvmmsg !== undefined && prepared > 1
          ? libc.recvmmsg(this.#socket.opened.fd, this.#messages.address(0), prepared, layout.MSG_DONTWAIT, 0)
          : this.#readSingly(prepared);
      if (count >= 0) return count;
      if (!isTransient(this.#socket)) return 0;
    }
    return 0;
  }

  #readSingly(prepared: number): number {
    const { libc, layout } = this.#socket.system;
    for (let i = 0; i < prepared; i++) {
      const length = libc.recvmsg(this.#socket.opened.fd, this.#messages.address(i), layout.MSG_DONTWAIT);
      if (length < 0) return i === 0 ? -1 : i;
      this.#messages.setLength(i, length);
    }
    return prepared;
  }

  #handOver(batch: PacketBatch): number {
    const before = batch.count;
    const first = this.#next;
    while (this.#next < this.#count && !batch.isFull) {
      const i = this.#next;
      if (i === first) this.#readEndpoints(i, batch);
      else if (!this.#isSameSender(first, i)) break;
      const slot = this.#slots[i] as Slot;
      this.#place(i, slot);
      batch.push(slot);
      this.#next++;
    }
    const count = batch.count - before;
    this.#socket.counters.received += count;
    return count;
  }

  #readEndpoints(i: number, batch: PacketBatch): void {
    const { system, opened, pool } = this.#socket;
    readSockaddr(system.layout, this.#messages.bytes, this.#messages.nameAt(i), batch.remote);
    if (this.#socket.tellsLocal) readLocalAddress(system, opened, this.#messages, i, batch.local);
    else batch.local.set(this.#socket.fixedLocal);
    // An IPv4 header says it itself; FreeBSD's raw sockets say it nowhere else.
    if (this.#lead !== 0 && opened.isUnbound) {
      const header = pool.datagramOrigin(this.#slots[i] as Slot) - this.#lead;
      batch.local[0] = 4;
      for (let k = 0; k < 4; k++) batch.local[4 + k] = pool.bytes[header + 16 + k] as number;
    }
  }

  /** Names and control messages of the same sender to the same address are the same words. */
  #isSameSender(a: number, b: number): boolean {
    const messages = this.#messages;
    const length = messages.nameLength(a);
    if (messages.nameLength(b) !== length || messages.controlLength(a) !== messages.controlLength(b)) return false;
    return (
      this.#isSame(messages.nameAt(a), messages.nameAt(b), length) &&
      this.#isSame(messages.controlAt(a), messages.controlAt(b), messages.controlLength(a)) &&
      (this.#lead === 0 || this.#isSameDestination(a, b))
    );
  }

  #isSame(a: number, b: number, length: number): boolean {
    const words = this.#messages.words;
    for (let i = 0; i < length >>> 2; i++) if (words[(a >>> 2) + i] !== words[(b >>> 2) + i]) return false;
    return true;
  }

  #isSameDestination(a: number, b: number): boolean {
    const { pool } = this.#socket;
    const first = pool.datagramOrigin(this.#slots[a] as Slot) - this.#lead + 16;
    const second = pool.datagramOrigin(this.#slots[b] as Slot) - this.#lead + 16;
    for (let k = 0; k < 4; k++) if (pool.bytes[first + k] !== pool.bytes[second + k]) return false;
    return true;
  }

  #place(i: number, slot: Slot): void {
    const { pool, system, counters } = this.#socket;
    const isCut = (this.#messages.flags(i) & system.layout.MSG_TRUNC) !== 0;
    const at = pool.datagramOrigin(slot) - this.#lead;
    const header = this.#lead === 0 ? 0 : headerLength(pool, at, this.#messages.length(i));
    const length = isCut || header < 0 ? 0 : this.#messages.length(i) - header;
    pool.start[slot] = at + Math.max(header, 0);
    pool.length[slot] = length;
    if (isCut) counters.truncated++;
  }
}

export class DatagramWriter {
  readonly #socket: DatagramSocket;
  readonly #messages: MessageArray;
  readonly #base: Address;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    const shape = { count: MAX_MESSAGES, vectors: 1, control: CONTROL_ROOM, isShared: true };
    this.#messages = new MessageArray(socket.system.layout, shape);
    this.#base = pointerTo(socket.pool.memory);
  }

  /**
   * Sends the datagrams `from` up to `to` of the batch, one by one.
   * @returns how many were taken, sent or lost; fewer than asked when the socket is full
   */
  send(batch: PacketBatch, remote: Endpoint, local: Endpoint, from: number, to: number): number {
    const { counters } = this.#socket;
    const name = addressMessage(this.#socket, this.#messages, remote, local);
    if (name === 0) {
      counters.lost += to - from;
      counters.lastError = this.#socket.system.errno.EAFNOSUPPORT;
      return to - from;
    }
    let i = from;
    while (i < to) {
      const sent = this.#write(batch, i, Math.min(to - i, MAX_MESSAGES), name);
      if (sent > 0) {
        counters.sent += sent;
        i += sent;
      } else if (!countFailure(this.#socket, batch.at(i))) return i - from;
      else i++;
    }
    return to - from;
  }

  /** @returns datagrams the kernel took, -1 when it refused the first */
  #write(batch: PacketBatch, from: number, count: number, name: number): number {
    const { pool, opened, system } = this.#socket;
    const { libc, layout, numbers } = system;
    const isMultiple = numbers.hasMultipleMessages && libc.sendmmsg !== undefined && count > 1;
    const control = this.#messages.controlLength(0);
    const several = isMultiple ? count : 1;
    for (let k = 0; k < several; k++) {
      const slot = batch.at(from + k);
      this.#messages.setVector(k, 0, this.#base + (pool.start[slot] as number), pool.length[slot] as number);
      this.#messages.setNameLength(k, name);
      this.#messages.setControlLength(k, control);
    }
    const flags = layout.MSG_DONTWAIT | layout.MSG_NOSIGNAL;
    if (isMultiple) return libc.sendmmsg?.(opened.fd, this.#messages.address(0), several, flags) ?? -1;
    return libc.sendmsg(opened.fd, this.#messages.address(0), flags) < 0 ? -1 : 1;
  }
}

/**
 * Writes name and source address into the shared buffers of an array.
 * @returns the length of the name, 0 when the socket cannot reach that family
 */
export function addressMessage(
  socket: DatagramSocket,
  messages: MessageArray,
  remote: Endpoint,
  local: Endpoint,
): number {
  const { system, opened } = socket;
  const length = writeSockaddr(system.layout, messages.bytes, messages.nameAt(0), remote, opened.family);
  messages.setNameLength(0, length);
  messages.setControlLength(0, 0);
  if (socket.tellsLocal && local[0] !== 0) appendLocalAddress(system, opened, messages, 0, local);
  return length;
}

/** Handles a refused send of the datagram in `slot`: returns false if the socket is full, true if the datagram counts as lost. */
function countFailure(socket: DatagramSocket, slot: Slot): boolean {
  const { system, counters } = socket;
  const errno = system.libc.errno();
  if (errno === system.errno.EAGAIN || errno === system.errno.ENOBUFS) return false;
  if (errno === system.errno.EMSGSIZE) counters.refuse(socket.pool.length[slot] as number);
  else {
    counters.lost++;
    counters.lastError = errno;
  }
  return true;
}

/** Handles a failed receive: returns false if the socket is empty, true if it is worth another try. */
export function isTransient(socket: DatagramSocket): boolean {
  const { system, counters } = socket;
  const errno = system.libc.errno();
  if (errno === system.errno.EAGAIN) return false;
  if (errno === system.errno.EINTR) return true;
  counters.errors++;
  counters.lastError = errno;
  return errno !== system.errno.EBADF;
}

/** Returns the size of the IPv4 header at `at` of a packet of `length` bytes (RFC 791, 3.1); -1 if it is malformed. */
function headerLength(pool: PacketPool, at: number, length: number): number {
  const first = pool.bytes[at] as number;
  const header = 4 * (first & 0xf);
  return first >>> 4 !== 4 || header < IP_HEADER || header > length ? -1 : header;
}
