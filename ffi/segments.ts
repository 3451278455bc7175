// @hot
/**
 * UDP segmentation offload (Linux UDP_SEGMENT and UDP_GRO, linux/udp.h): a run of equal datagrams leaves in one
 * sendmsg, gathered from its slots, and a run that the kernel has joined arrives in one recvmsg and is cut into slots.
 * Whatever the kernel refuses in one piece goes out through the plain writer.
 */
import type { Endpoint } from "../src/endpoint.ts";
import type { PacketBatch } from "../src/memory/packet-batch.ts";
import { NO_SLOT } from "../src/memory/packet-pool.ts";
import { addressMessage, CONTROL_ROOM, type DatagramSocket, type DatagramWriter, isTransient } from "./datagrams.ts";
import { type Address, pointerTo } from "./libc.ts";
import { readLocalAddress } from "./local-address.ts";
import { MessageArray } from "./message.ts";
import { readSockaddr, SOCKADDR_ROOM } from "./sockaddr.ts";
import { IPPROTO } from "./socket-system.ts";

/** UDP_MAX_SEGMENTS of kernels before 6.9; later ones take 128. */
const MAX_SEGMENTS = 64;
/** The largest UDP payload over IPv4: 65535 less 20 and 8. */
const MAX_RUN = 65507;
/** The largest joined run a recvmsg can bring. */
const STAGING_SIZE = 65536;
/** Refusals in a row, none of them about size, after which segmentation is taken to be unsupported. */
const MAX_REFUSALS = 16;
const MAX_ERRORS = 8;

export class SegmentWriter {
  /** Cleared for good when the kernel or the device turns out not to do it. */
  isEnabled = true;
  readonly #socket: DatagramSocket;
  readonly #plain: DatagramWriter;
  readonly #message: MessageArray;
  readonly #base: Address;
  #refusals = 0;

  constructor(socket: DatagramSocket, plain: DatagramWriter) {
    this.#socket = socket;
    this.#plain = plain;
    const shape = { count: 1, vectors: MAX_SEGMENTS, control: CONTROL_ROOM, isShared: true };
    this.#message = new MessageArray(socket.system.layout, shape);
    this.#base = pointerTo(socket.pool.memory);
  }

  /** Does what `Consumer.send` says. */
  send(batch: PacketBatch, remote: Endpoint, local: Endpoint): number {
    let i = 0;
    while (i < batch.count) {
      const count = this.isEnabled ? this.#runLength(batch, i) : batch.count - i;
      const taken =
        this.isEnabled && count > 1 && this.#sendRun(batch, remote, local, i, count)
          ? count
          : this.#plain.send(batch, remote, local, i, i + count);
      // A full socket shows as EAGAIN again in the plain writer, which then takes none.
      i += taken;
      if (taken < count) return i;
    }
    return i;
  }

  /** Returns how many datagrams from `from` on fit one segmented send: equal lengths, the last may be shorter. */
  #runLength(batch: PacketBatch, from: number): number {
    const { length } = this.#socket.pool;
    const size = length[batch.at(from)] as number;
    if (size === 0) return 1;
    const end = Math.min(batch.count, from + MAX_SEGMENTS);
    let total = size;
    for (let i = from + 1; i < end; i++) {
      const next = length[batch.at(i)] as number;
      total += next;
      if (next > size || next === 0 || total > MAX_RUN) return i - from;
      if (next < size) return i - from + 1;
    }
    return end - from;
  }

  #sendRun(batch: PacketBatch, remote: Endpoint, local: Endpoint, from: number, count: number): boolean {
    const { system, pool, opened, counters } = this.#socket;
    const message = this.#message;
    if (addressMessage(this.#socket, message, remote, local) === 0) return false;
    const at = message.appendControl(0, IPPROTO.UDP, system.numbers.UDP_SEGMENT, 2);
    const size = pool.length[batch.at(from)] as number;
    message.bytes[at] = size & 0xff;
    message.bytes[at + 1] = size >>> 8;
    for (let i = 0; i < count; i++) {
      const slot = batch.at(from + i);
      message.setVector(0, i, this.#base + (pool.start[slot] as number), pool.length[slot] as number);
    }
    message.setVectorCount(0, count);
    const flags = system.layout.MSG_DONTWAIT | system.layout.MSG_NOSIGNAL;
    if (system.libc.sendmsg(opened.fd, message.address(0), flags) < 0) {
      this.#handleRefusal();
      return false;
    }
    this.#refusals = 0;
    counters.sent += count;
    return true;
  }

  /**
   * Handles a refused segmented send. EIO comes from devices without checksum offload, EOPNOTSUPP from old kernels: both stay. EMSGSIZE
   * (EINVAL on older ones) means a segment above this peer's MTU: other peers may do, and the wasted call is one in a run.
   */
  #handleRefusal(): void {
    const { errno, libc } = this.#socket.system;
    const why = libc.errno();
    if (why === errno.EIO || why === errno.EOPNOTSUPP) this.isEnabled = false;
    else if (why === errno.EINVAL && ++this.#refusals >= MAX_REFUSALS) this.isEnabled = false;
  }
}

export class SegmentReader {
  readonly #socket: DatagramSocket;
  readonly #message: MessageArray;
  readonly #staging = new Uint8Array(new ArrayBuffer(STAGING_SIZE));
  readonly #stagingBase = pointerTo(this.#staging);
  readonly #poolBase: Address;
  readonly #room: number;
  /** The rest of the run in the staging buffer. */
  #at = 0;
  #end = 0;
  #size = 0;
  #isCut = false;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    const shape = { count: 1, vectors: 1, control: CONTROL_ROOM, isShared: true };
    this.#message = new MessageArray(socket.system.layout, shape);
    this.#message.setVector(0, 0, this.#stagingBase, STAGING_SIZE);
    this.#poolBase = pointerTo(socket.pool.memory);
    this.#room = socket.pool.slotSize - socket.pool.datagramOrigin(0);
  }

  /** True if part of a run waits for room in a batch; the poll does not tell. */
  get hasPending(): boolean {
    return this.#at < this.#end;
  }

  /** Does what `Producer.receive` says, for at most one run. */
  receive(batch: PacketBatch): number {
    if (batch.isFull || (this.#at === this.#end && !this.#read())) return 0;
    const { system, opened, tellsLocal, fixedLocal, counters } = this.#socket;
    readSockaddr(system.layout, this.#message.bytes, this.#message.nameAt(0), batch.remote);
    if (tellsLocal) readLocalAddress(system, opened, this.#message, 0, batch.local);
    else batch.local.set(fixedLocal);
    const before = batch.count;
    while (this.#at < this.#end && !batch.isFull && this.#cut(batch));
    counters.received += batch.count - before;
    return batch.count - before;
  }

  /** Fills the staging buffer; false when there is nothing. An empty datagram is dropped here. */
  #read(): boolean {
    const { system, opened, tellsLocal } = this.#socket;
    const message = this.#message;
    for (let tries = 0; tries < MAX_ERRORS; tries++) {
      message.setNameLength(0, SOCKADDR_ROOM);
      message.setControlLength(0, tellsLocal || system.numbers.UDP_GRO !== 0 ? CONTROL_ROOM : 0);
      const length = system.libc.recvmsg(opened.fd, message.address(0), system.layout.MSG_DONTWAIT);
      if (length > 0) {
        this.#begin(length);
        return true;
      }
      if (length < 0 && !isTransient(this.#socket)) return false;
    }
    return false;
  }

  #begin(length: number): void {
    const { system } = this.#socket;
    const message = this.#message;
    const at = message.findControl(0, IPPROTO.UDP, system.numbers.UDP_GRO, 4);
    const size = at < 0 ? 0 : (message.words[at >>> 2] as number);
    this.#at = 0;
    this.#end = length;
    this.#size = size === 0 ? length : size;
    this.#isCut = (message.flags(0) & system.layout.MSG_TRUNC) !== 0;
  }

  /** Moves one datagram into a slot. Without a slot the rest of the run is dropped: false. */
  #cut(batch: PacketBatch): boolean {
    const { pool, system, counters } = this.#socket;
    const slot = pool.take();
    if (slot === NO_SLOT) {
      counters.noSlot += Math.ceil((this.#end - this.#at) / this.#size);
      this.#at = this.#end;
      return false;
    }
    const length = Math.min(this.#size, this.#end - this.#at);
    const isLast = this.#at + length === this.#end;
    const to = pool.datagramOrigin(slot);
    pool.start[slot] = to;
    if (length > this.#room || (this.#isCut && isLast)) counters.truncated++;
    else {
      system.libc.memcpy(this.#poolBase + to, this.#stagingBase + this.#at, length);
      pool.length[slot] = length;
    }
    this.#at += length;
    batch.push(slot);
    return true;
  }
}
