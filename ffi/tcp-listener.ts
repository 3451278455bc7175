/**
 * Accepts TCP connections and hands them over as streams of datagrams. What the network does while a connection waits
 * (gone again, no descriptor left) is counted, never thrown. The caller bounds how many streams may live.
 */
import { createEndpoint, type Endpoint, formatEndpoint } from "../src/endpoint.ts";
import type { PacketPool } from "../src/memory/packet-pool.ts";
import { systemError } from "./errno.ts";
import { pointerTo } from "./libc.ts";
import { readSockaddr, SOCKADDR_ROOM } from "./sockaddr.ts";
import { describeSocket, type OpenedSocket, openSocket, type SocketDescription, type SocketRequest } from "./socket.ts";
import { SocketCounters } from "./socket-counters.ts";
import { IPPROTO, type SocketSystem, systemSockets } from "./socket-system.ts";
import { TcpStream } from "./tcp.ts";

/** Connections the kernel keeps waiting. */
const BACKLOG = 64;
/** Streams handed over in one turn, when the caller does not say. */
const ACCEPTED_PER_TURN = 16;

export interface TcpListenRequest extends SocketRequest {
  /** The `TcpRequest.userTimeout` of the accepted streams. */
  readonly userTimeout?: number | undefined;
}

export class TcpListener {
  /** `received` counts connections. */
  readonly counters = new SocketCounters();
  readonly #system: SocketSystem;
  readonly #pool: PacketPool;
  readonly #opened: OpenedSocket;
  readonly #userTimeout: number;
  readonly #name = new Uint8Array(new ArrayBuffer(SOCKADDR_ROOM + 4));
  #isOpen = true;

  private constructor(system: SocketSystem, pool: PacketPool, opened: OpenedSocket, userTimeout: number) {
    this.#system = system;
    this.#pool = pool;
    this.#opened = opened;
    this.#userTimeout = userTimeout;
  }

  /**
   * Listens at `request.local`; SO_REUSEADDR is always set, so that a restart need not wait for TIME-WAIT.
   * @throws NetcombinerError when the system refuses the address or the interface
   */
  static open(pool: PacketPool, request: TcpListenRequest, system: SocketSystem = systemSockets()): TcpListener {
    const whole = { ...request, reuse: true, buffers: request.buffers ?? 0 };
    const opened = openSocket(system, system.layout.SOCK_STREAM, IPPROTO.TCP, whole);
    if (system.libc.listen(opened.fd, BACKLOG) < 0) {
      const error = systemError(`cannot listen at ${formatEndpoint(opened.local)}`, system.libc.errno(), system.errno);
      system.libc.close(opened.fd);
      throw error;
    }
    return new TcpListener(system, pool, opened, request.userTimeout ?? 0);
  }

  get fd(): number {
    return this.#opened.fd;
  }

  get local(): Endpoint {
    return this.#opened.local;
  }

  /** Returns the streams that wait, at most `limit` of them; they belong to the caller. */
  accept(limit = ACCEPTED_PER_TURN): TcpStream[] {
    const out: TcpStream[] = [];
    for (let i = 0; i < limit; i++) {
      const stream = this.#acceptOne();
      if (stream === undefined) break;
      out.push(stream);
    }
    return out;
  }

  describe(): SocketDescription {
    return describeSocket(this.#opened, false, false);
  }

  /** Closes the listening descriptor; accepted streams live on. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#system.libc.close(this.fd);
  }

  #acceptOne(): TcpStream | undefined {
    const { libc, layout, errno } = this.#system;
    this.#name[SOCKADDR_ROOM] = SOCKADDR_ROOM;
    const at = pointerTo(this.#name);
    const fd = libc.accept4(this.fd, at, at + SOCKADDR_ROOM, layout.SOCK_NONBLOCK | layout.SOCK_CLOEXEC);
    if (fd < 0) {
      const why = libc.errno();
      if (why !== errno.EAGAIN) {
        this.counters.errors++;
        this.counters.lastError = why;
      }
      return undefined;
    }
    const remote = createEndpoint();
    readSockaddr(layout, this.#name, 0, remote);
    this.counters.received++;
    return TcpStream.accepted(this.#pool, { ...this.#opened, fd }, remote, this.#userTimeout, this.#system);
  }
}
