// @hot
/**
 * Moves datagrams from the portal to the sockets. A batch that a full socket does not take is parked: its path is blocked until the socket
 * has room, and then the batch goes first.
 */
import { errnoName } from "../../ffi/errno.ts";
import type { Poller } from "../../ffi/poller.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, type PacketPool } from "../memory/packet-pool.ts";
import type { Path } from "../path/path.ts";
import type { Portal } from "../portal/portal.ts";
import { BATCH } from "./capacities.ts";
import type { Connections } from "./connections.ts";
import type { LinkSocket, SocketTable, SocketTransport } from "./socket-table.ts";

export class Sender {
  readonly #pool: PacketPool;
  readonly #portal: Portal;
  readonly #sockets: SocketTable;
  readonly #connections: Connections;
  readonly #poller: Poller;
  readonly #output: PacketBatch;
  /** Datagrams sealed for a socket that was full, by path. */
  readonly #parked = new Map<Path, PacketBatch>();
  #flushes = 0;

  /** @param output a batch that is empty between calls, shared with whoever moves packets the other way */
  constructor(
    pool: PacketPool,
    portal: Portal,
    sockets: SocketTable,
    connections: Connections,
    poller: Poller,
    output: PacketBatch,
  ) {
    this.#pool = pool;
    this.#portal = portal;
    this.#sockets = sockets;
    this.#connections = connections;
    this.#poller = poller;
    this.#output = output;
  }

  /** Sends on every path what the portal has for it. */
  flush(now: Micros): void {
    const { paths } = this.#portal;
    const { length } = paths;
    // Another path first each time: with one always first, a flow whose window fits that one would never use the others.
    const first = this.#flushes++;
    for (let i = 0; i < length; i++) {
      // A socket that ends on the way takes its paths out of the list.
      const path = paths[(first + i) % length];
      if (path && !path.isBlocked) this.#flushPath(now, path);
    }
  }

  /** Goes on with the paths of a socket that has room again. */
  resume(now: Micros, socket: LinkSocket, transport: SocketTransport): void {
    this.#poller.setWritable(socket.fd, false);
    if (transport instanceof TcpStream && !transport.flush()) {
      if (transport.state === "ended") return this.#connections.end(now, socket, transport);
      return this.#poller.setWritable(socket.fd, true);
    }
    for (const path of this.#portal.paths) {
      if (path.socket !== socket.id || !path.isBlocked) continue;
      path.isBlocked = false;
      const parked = this.#parked.get(path);
      if (parked && this.#send(now, path, socket, parked)) this.#parked.delete(path);
    }
    this.#forgetDownPaths();
  }

  /** Sends one message of the portal's own, as well as the socket can: lost if it is full or there are no slots. */
  sendMessage(socket: number, remote: Endpoint, local: Endpoint, message: Uint8Array): void {
    const transport = this.#sockets.at(socket)?.transport;
    const slot = this.#pool.take();
    if (slot === NO_SLOT) return;
    if (transport && !(transport instanceof TcpListener)) {
      this.#pool.bytes.set(message, this.#pool.start[slot]);
      this.#pool.length[slot] = message.length;
      const batch = new PacketBatch(1);
      batch.push(slot);
      transport.send(batch, remote, local);
    }
    this.#pool.release(slot);
  }

  #flushPath(now: Micros, path: Path): void {
    const output = this.#output;
    for (;;) {
      output.clear();
      this.#portal.pollDatagrams(now, path, output);
      if (output.count === 0) return;
      const isMore = output.isFull;
      const socket = this.#sockets.at(path.socket);
      if (!this.#send(now, path, socket, output)) return;
      if (!isMore) return;
    }
  }

  /** Sends `batch` and releases what went; false if the path must wait for its socket. */
  #send(now: Micros, path: Path, socket: LinkSocket | undefined, batch: PacketBatch): boolean {
    const transport = socket?.transport;
    if (!socket || !transport || transport instanceof TcpListener) {
      this.#release(batch, batch.count);
      return true;
    }
    const taken = this.#offer(now, path, transport, batch);
    if (taken < 0) {
      this.#release(batch, batch.count);
      this.#connections.end(now, socket, transport);
      return false;
    }
    this.#release(batch, taken);
    if (batch.count > 0) this.#park(path, batch);
    if (batch.count > 0 || (transport instanceof TcpStream && transport.wantsWrite)) {
      path.isBlocked = true;
      this.#poller.setWritable(socket.fd, true);
      return false;
    }
    return true;
  }

  /** Hands `batch` to the transport and tells the portal what went wrong; returns the datagrams taken, -1 if the connection ended. */
  #offer(now: Micros, path: Path, transport: SocketTransport, batch: PacketBatch): number {
    const { counters } = transport;
    const lostBefore = counters.lost;
    counters.tooBigSize = 0;
    const taken = transport.send(batch, path.remote, path.local);
    if (counters.tooBigSize > 0) this.#portal.handleTooBig(now, path, counters.tooBigSize);
    if (counters.lost !== lostBefore) {
      this.#portal.handleSendFault(now, path, `cannot send: ${errnoName(counters.lastError)}`);
    }
    return taken;
  }

  /** Gives back the first `count` slots and takes them out of the batch. */
  #release(batch: PacketBatch, count: number): void {
    for (let i = 0; i < count; i++) this.#pool.release(batch.at(i));
    batch.shift(count);
  }

  /** Keeps what the socket did not take. */
  #park(path: Path, batch: PacketBatch): void {
    const parked = this.#parked.get(path) ?? new PacketBatch(BATCH);
    if (parked !== batch) for (let i = 0; i < batch.count; i++) parked.push(batch.at(i));
    this.#parked.set(path, parked);
  }

  #forgetDownPaths(): void {
    for (const [path, parked] of this.#parked) {
      if (path.state !== "down") continue;
      this.#release(parked, parked.count);
      this.#parked.delete(path);
    }
  }
}
