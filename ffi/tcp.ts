// @hot
/**
 * Datagrams over a TCP connection (dissertation, 3.2.1): each is led by its length in 32 bits, big-endian. Non-blocking
 * and in batches: the length is written into the headroom before the datagram, so that one call gathers a batch.
 * TCP delivers and orders; a greedy scheduler is bound by its window and its small unsent queue.
 * It must not know what a datagram says. The peer can end the connection but never make a call throw.
 */
import { createEndpoint, type Endpoint, formatEndpoint } from "../src/endpoint.ts";
import type { PacketBatch } from "../src/memory/packet-batch.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../src/memory/packet-pool.ts";
import type { Consumer, Producer } from "../src/ports.ts";
import { errnoName } from "./errno.ts";
import { type Address, pointerTo } from "./libc.ts";
import { MessageArray } from "./message.ts";
import {
  connectTo,
  type OpenedSocket,
  openSocket,
  readLocal,
  readOption,
  readPeer,
  type SocketDescription,
  type SocketRequest,
  setOption,
} from "./socket.ts";
import { SocketCounters } from "./socket-counters.ts";
import { IPPROTO, type SocketSystem, systemSockets, TCP_NODELAY } from "./socket-system.ts";

const PREFIX = 4;
const MAX_VECTORS = 64;
const STAGING_SIZE = 256 * 1024;
/**
 * Unsent bytes the kernel may hold. They can no longer leave by a better link, so they are as few as keep
 * the connection busy: two dozen datagrams are 0.26 ms at 1 Gbit/s, and the kernel wakes the poll when half is gone,
 * well above the time a turn of the worker takes.
 */
const NOTSENT_LOWAT = 32 * 1024;
/** Send buffer where the system has no such limit and it must be small itself (FreeBSD), bytes. */
const BOUNDED_SEND_BUFFER = 256 * 1024;

export interface TcpRequest extends SocketRequest {
  readonly remote: Endpoint;
  /** Milliseconds that sent bytes may stay unacknowledged before the kernel gives up; 0 for the system's own. Linux. */
  readonly userTimeout?: number | undefined;
}

export type TcpState = "connecting" | "open" | "ended";

export interface TcpDescription extends SocketDescription {
  readonly remote: string;
  readonly state: TcpState;
  /** Why it ended: "closed", "frame-length" or the name of an errno. */
  readonly reason: string;
}

export class TcpStream implements Producer, Consumer {
  readonly counters = new SocketCounters();
  readonly remote: Endpoint = createEndpoint();
  readonly local: Endpoint = createEndpoint();
  readonly #system: SocketSystem;
  readonly #pool: PacketPool;
  readonly #poolBase: Address;
  readonly #opened: OpenedSocket;
  readonly #message: MessageArray;
  readonly #room: number;
  /** Bytes received and not yet cut into datagrams lie from `#head` to `#tail`. */
  readonly #staging = new Uint8Array(new ArrayBuffer(STAGING_SIZE));
  readonly #stagingView = new DataView(this.#staging.buffer);
  readonly #stagingBase = pointerTo(this.#staging);
  #head = 0;
  #tail = 0;
  /** The unsent end of one datagram that was sent in part lies from `#restAt` to `#restEnd`. */
  readonly #rest: Uint8Array;
  readonly #restBase: Address;
  #restAt = 0;
  #restEnd = 0;
  #state: TcpState;
  #reason = "";
  #isFull = false;
  #isOpen = true;

  private constructor(system: SocketSystem, pool: PacketPool, opened: OpenedSocket, state: TcpState) {
    this.#system = system;
    this.#pool = pool;
    this.#poolBase = pointerTo(pool.memory);
    this.#opened = opened;
    this.#state = state;
    this.#room = pool.slotSize - pool.datagramOrigin(0);
    this.#rest = new Uint8Array(new ArrayBuffer(PREFIX + pool.slotSize));
    this.#restBase = pointerTo(this.#rest);
    const shape = { count: 1, vectors: MAX_VECTORS, control: 0, isShared: true };
    this.#message = new MessageArray(system.layout, shape);
    this.#message.setNameLength(0, 0);
    this.#message.setControlLength(0, 0);
  }

  /**
   * Begins to connect; `state` tells when it has. A refusal by the network shows as an ended stream.
   * @throws NetcombinerError when the system refuses the local address or the interface
   */
  static connect(pool: PacketPool, request: TcpRequest, system: SocketSystem = systemSockets()): TcpStream {
    const family = request.remote[0] === 6 ? 6 : 4;
    const bounded = { ...request, family, buffers: request.buffers ?? 0 } as const;
    const opened = openSocket(system, system.layout.SOCK_STREAM, IPPROTO.TCP, bounded);
    tuneStream(system, opened.fd, request.userTimeout ?? 0);
    const stream = new TcpStream(system, pool, opened, "connecting");
    stream.remote.set(request.remote);
    const errno = connectTo(system, opened, request.remote);
    if (errno === 0) stream.#becomeOpen();
    else if (errno !== system.errno.EINPROGRESS && errno !== system.errno.EINTR) stream.#end(errno);
    return stream;
  }

  /** Returns a stream over a descriptor of accept(2). */
  static accepted(
    pool: PacketPool,
    opened: OpenedSocket,
    remote: Endpoint,
    userTimeout: number,
    system: SocketSystem,
  ): TcpStream {
    tuneStream(system, opened.fd, userTimeout);
    const stream = new TcpStream(system, pool, opened, "connecting");
    stream.remote.set(remote);
    stream.#becomeOpen();
    return stream;
  }

  get fd(): number {
    return this.#opened.fd;
  }

  /** Asks the kernel whether a connecting stream has connected. */
  get state(): TcpState {
    if (this.#state === "connecting") this.#checkConnected();
    return this.#state;
  }

  /** Why the stream ended, "" before. */
  get reason(): string {
    return this.#reason;
  }

  /** True if the poll should watch for room: bytes wait to be sent, or the connection to be made. */
  get wantsWrite(): boolean {
    return this.#state === "connecting" || (this.#state === "open" && (this.#isFull || this.#restAt < this.#restEnd));
  }

  /** Whole datagrams already read that the descriptor no longer tells of: call `receive` again before waiting. */
  get hasPending(): boolean {
    const held = this.#tail - this.#head;
    return held >= PREFIX && held - PREFIX >= this.#stagingView.getUint32(this.#head);
  }

  /** Receives whole datagrams; those before the end of a connection are still handed over, then it returns -1. */
  receive(batch: PacketBatch): number {
    if (batch.isFull) return 0;
    if (this.#state === "open" && !this.hasPending) this.#fill();
    else if (this.#state === "connecting") this.#checkConnected();
    const count = this.#cut(batch);
    if (count > 0) {
      batch.remote.set(this.remote);
      batch.local.set(this.local);
      return count;
    }
    return this.#state === "ended" ? -1 : 0;
  }

  send(batch: PacketBatch, _remote: Endpoint, _local: Endpoint): number {
    if (!this.flush()) return this.#state === "ended" ? -1 : 0;
    let taken = 0;
    while (taken < batch.count && !this.#isFull) {
      const count = Math.min(MAX_VECTORS, batch.count - taken);
      const sent = this.#sendGathered(batch, taken, count);
      if (sent < 0) return this.#state === "ended" && taken === 0 ? -1 : taken;
      taken += sent;
    }
    return taken;
  }

  /** Sends the rest of a datagram sent in part; true if the stream is open and nothing is left. */
  flush(): boolean {
    if (this.state !== "open") return false;
    this.#isFull = false;
    while (this.#restAt < this.#restEnd) {
      const { libc, layout } = this.#system;
      const flags = layout.MSG_DONTWAIT | layout.MSG_NOSIGNAL;
      const sent = libc.send(this.fd, this.#restBase + this.#restAt, this.#restEnd - this.#restAt, flags);
      if (sent < 0) {
        this.#handleSendError();
        return false;
      }
      this.#restAt += sent;
    }
    return true;
  }

  describe(): TcpDescription {
    const { numbers } = this.#system;
    return {
      local: formatEndpoint(this.local),
      remote: formatEndpoint(this.remote),
      interface: this.#opened.interface,
      receiveBuffer: readOption(this.#system, this.fd, numbers.SOL_SOCKET, numbers.SO_RCVBUF),
      sendBuffer: readOption(this.#system, this.fd, numbers.SOL_SOCKET, numbers.SO_SNDBUF),
      gso: false,
      gro: false,
      state: this.state,
      reason: this.#reason,
    };
  }

  /** Closes the descriptor; bytes not yet sent are lost. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#state !== "ended") {
      this.#state = "ended";
      this.#reason = "closed";
    }
    this.#system.libc.close(this.fd);
  }

  /**
   * Sends by one gathering call.
   * @returns datagrams taken, -1 when none could be
   */
  #sendGathered(batch: PacketBatch, from: number, count: number): number {
    const { libc, layout } = this.#system;
    const pool = this.#pool;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const slot = batch.at(from + i);
      const at = (pool.start[slot] as number) - PREFIX;
      const size = this.#framedSize(slot);
      pool.view.setUint32(at, size - PREFIX);
      this.#message.setVector(0, i, this.#poolBase + at, size);
      total += size;
    }
    this.#message.setVectorCount(0, count);
    const sent = libc.sendmsg(this.fd, this.#message.address(0), layout.MSG_DONTWAIT | layout.MSG_NOSIGNAL);
    if (sent < 0) {
      this.#handleSendError();
      return -1;
    }
    const taken = sent === total ? count : this.#keepRest(batch, from, sent);
    this.counters.sent += taken;
    return taken;
  }

  /** Bytes on the wire. An empty datagram has none: its length would end the connection at the peer. */
  #framedSize(slot: Slot): number {
    const length = this.#pool.length[slot] as number;
    return length === 0 ? 0 : PREFIX + length;
  }

  /** Keeps the end of a datagram that was cut in two after `sent` bytes of a gathered batch; it counts as taken. */
  #keepRest(batch: PacketBatch, from: number, sent: number): number {
    const pool = this.#pool;
    this.#isFull = true;
    let left = sent;
    for (let i = from; ; i++) {
      const slot = batch.at(i);
      const size = this.#framedSize(slot);
      if (left === 0) return i - from;
      if (left < size) {
        const at = (pool.start[slot] as number) - PREFIX + left;
        this.#system.libc.memcpy(this.#restBase, this.#poolBase + at, size - left);
        this.#restAt = 0;
        this.#restEnd = size - left;
        return i - from + 1;
      }
      left -= size;
    }
  }

  #handleSendError(): void {
    const { errno, libc } = this.#system;
    const why = libc.errno();
    if (why === errno.EAGAIN || why === errno.ENOBUFS || why === errno.EINTR) this.#isFull = true;
    else this.#end(why);
  }

  /** Reads once behind the bytes held, which are less than one datagram. */
  #fill(): void {
    const { libc, layout, errno } = this.#system;
    this.#staging.copyWithin(0, this.#head, this.#tail);
    this.#tail -= this.#head;
    this.#head = 0;
    const room = STAGING_SIZE - this.#tail;
    const count = libc.recv(this.fd, this.#stagingBase + this.#tail, room, layout.MSG_DONTWAIT);
    if (count > 0) {
      this.#tail += count;
      return;
    }
    const why = count < 0 ? libc.errno() : 0;
    if (why !== errno.EAGAIN && why !== errno.EINTR) this.#end(why);
  }

  /** Moves whole datagrams into slots; without a slot they are dropped, or acknowledgements in them would never come. */
  #cut(batch: PacketBatch): number {
    const before = batch.count;
    while (!batch.isFull && this.#tail - this.#head >= PREFIX) {
      const length = this.#stagingView.getUint32(this.#head);
      if (length === 0 || length > this.#room) {
        this.#head = 0;
        this.#tail = 0;
        this.counters.truncated++;
        this.#finish("frame-length");
        break;
      }
      if (this.#tail - this.#head - PREFIX < length) break;
      this.#place(batch, this.#head + PREFIX, length);
      this.#head += PREFIX + length;
    }
    const count = batch.count - before;
    this.counters.received += count;
    return count;
  }

  #place(batch: PacketBatch, at: number, length: number): void {
    const pool = this.#pool;
    const slot = pool.take();
    if (slot === NO_SLOT) {
      this.counters.noSlot++;
      return;
    }
    const to = pool.datagramOrigin(slot);
    this.#system.libc.memcpy(this.#poolBase + to, this.#stagingBase + at, length);
    pool.start[slot] = to;
    pool.length[slot] = length;
    batch.push(slot);
  }

  /** Finds out whether the connection was made: SO_ERROR tells a failure; no error is success only once there is a peer. */
  #checkConnected(): void {
    const { numbers } = this.#system;
    const errno = readOption(this.#system, this.fd, numbers.SOL_SOCKET, numbers.SO_ERROR);
    if (errno !== 0) this.#end(errno);
    else if (readPeer(this.#system, this.fd, this.remote)) this.#becomeOpen();
  }

  #becomeOpen(): void {
    this.#state = "open";
    readLocal(this.#system, this.fd, this.local);
  }

  #end(errno: number): void {
    if (errno !== 0) {
      this.counters.errors++;
      this.counters.lastError = errno;
    }
    this.#finish(errno === 0 ? "closed" : errnoName(errno, this.#system.errno));
  }

  #finish(reason: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#reason = reason;
  }
}

function tuneStream(system: SocketSystem, fd: number, userTimeout: number): void {
  const { numbers } = system;
  setOption(system, fd, IPPROTO.TCP, TCP_NODELAY, 1);
  if (numbers.TCP_NOTSENT_LOWAT !== 0) setOption(system, fd, IPPROTO.TCP, numbers.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT);
  else setOption(system, fd, numbers.SOL_SOCKET, numbers.SO_SNDBUF, BOUNDED_SEND_BUFFER);
  if (userTimeout > 0 && numbers.TCP_USER_TIMEOUT !== 0)
    setOption(system, fd, IPPROTO.TCP, numbers.TCP_USER_TIMEOUT, userTimeout);
}
