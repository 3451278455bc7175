// @hot
/**
 * The data plane: one thread that waits in one blocking poll on the TUN and every socket, reads the clock once a turn and moves packets in
 * batches between them and the portal. It answers the control plane between turns.
 */

import { monotonicMicros } from "../../ffi/clock.ts";
import { errnoName } from "../../ffi/errno.ts";
import { POLL } from "../../ffi/layout.ts";
import { Poller } from "../../ffi/poller.ts";
import { limitThread } from "../../ffi/privileges.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import { adoptTun } from "../../ffi/tun.ts";
import { drain } from "../../ffi/wake.ts";
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import { PacketBatch } from "../memory/packet-batch.ts";
import { NO_SLOT, PacketPool } from "../memory/packet-pool.ts";
import type { Path } from "../path/path.ts";
import type { PortalEvent } from "../portal/events.ts";
import type { Portal } from "../portal/portal.ts";
import { createPortal } from "./create-portal.ts";
import { withEdges } from "./edge-drops.ts";
import { Housekeeping } from "./housekeeping.ts";
import { type DataplaneLink, type FromDataplane, fault, type StartMessage, type ToDataplane } from "./messages.ts";
import { type Socket, Sockets, type Transport } from "./sockets.ts";
import { TunEdge } from "./tun-edge.ts";

/** Slots of the arena: what the queue, the paths and the resequencer may hold, and batches on their way. */
const SLOTS = 8_192;
/** Kept for what comes from the network. */
const RESERVED_SLOTS = 512;
/** A datagram is at most the tunnel's MTU and this much. */
const DATAGRAM_GROWTH = 128;
const ETHERNET = 1_500;
const BATCH = 256;
/** Reads of one source before the others get their turn. */
const READS_PER_TURN = 8;

type Post = (message: FromDataplane) => void;

export class Dataplane {
  readonly #post: Post;
  readonly #poller = new Poller();
  readonly #pool: PacketPool;
  readonly #portal: Portal;
  readonly #sockets: Sockets;
  readonly #edge: TunEdge;
  readonly #tunFd: number;
  readonly #wakeFd: number;
  readonly #links = new Map<number, DataplaneLink>();
  readonly #input = new PacketBatch(BATCH);
  readonly #output = new PacketBatch(BATCH);
  /** Datagrams sealed for a socket that was full, by path. */
  readonly #waiting = new Map<Path, PacketBatch>();
  readonly #housekeeping = new Housekeeping(() => Bun.gc(true));
  #flushes = 0;
  /** The TUN has more than the poll tells. */
  #tunPending = false;
  #hasRoom = true;
  #isDone = false;
  #ended: FromDataplane = { type: "stopped", cause: "asked", reason: "asked to stop" };

  constructor(start: StartMessage, post: Post) {
    this.#post = post;
    limitThread();
    this.#pool = new PacketPool(SLOTS, Math.max(ETHERNET, start.tunnel.mtu) + DATAGRAM_GROWTH);
    this.#portal = createPortal(start.tunnel, this.#pool);
    this.#sockets = new Sockets(this.#pool, this.#poller, start.mark);
    const tun = adoptTun(start.tunFd);
    this.#edge = new TunEdge(this.#pool, tun);
    this.#tunFd = start.tunFd;
    this.#wakeFd = start.wakeFd;
    this.#poller.add(start.tunFd, POLL.IN);
    this.#poller.add(start.wakeFd, POLL.IN);
    for (const link of start.links) this.#addLink(link);
  }

  /** Runs until told to stop. `yieldToMessages` lets the thread's messages be handled after so many wake-ups. */
  async run(yieldToMessages: (wakeUps: number) => Promise<void>): Promise<FromDataplane> {
    this.#settle(monotonicMicros());
    while (!this.#isDone) {
      const wakeUps = this.#turn();
      if (wakeUps > 0) await yieldToMessages(wakeUps);
    }
    this.#sockets.closeAll();
    return this.#ended;
  }

  handle(message: ToDataplane): void {
    const now = monotonicMicros();
    if (message.type === "resolved") this.#open(now, message.link, message.attempt, message.remote, message.local);
    else if (message.type === "unresolved") {
      this.#portal.handleFailed(now, message.link, message.attempt, message.reason);
    } else if (message.type === "add-link") this.#addLink(message.link);
    else if (message.type === "remove-link") {
      this.#links.delete(message.link);
      this.#portal.removeLink(now, message.link);
    } else if (message.type === "ask") this.#portal.ask(now, message.request, message.query);
    else if (message.type === "responder") this.#portal.handleResponder(now, message.token, message.responder);
    else if (message.type === "change-link") this.#portal.changeLink(now, message.link, message.change);
    else if (message.type === "snapshot") {
      const snapshot = withEdges(this.#portal.snapshot(now), this.#edge, this.#sockets);
      this.#post({ type: "snapshot", request: message.request, snapshot });
    } else if (message.type === "stop") {
      this.#portal.close(now);
      this.#isDone = true;
    }
    this.#settle(now);
  }

  /** One wait and what follows from it; returns how often the control plane wrote to wake us. */
  #turn(): number {
    const timeout =
      this.#tunPending && this.#hasRoom ? 0 : this.#portal.pollTimeout(monotonicMicros()) - monotonicMicros();
    this.#poller.wait(timeout);
    const now = monotonicMicros();
    let wakeUps = 0;
    let tunReady = this.#tunPending;
    for (let at = this.#poller.next(-1); at >= 0; at = this.#poller.next(at)) {
      const fd = this.#poller.fd(at);
      if (fd === this.#tunFd) tunReady = true;
      else if (fd === this.#wakeFd) wakeUps = drain(fd);
      else this.#serve(now, fd, this.#poller.events(at));
    }
    if (tunReady && this.#hasRoom) this.#readTun(now);
    this.#portal.handleTimeout(now);
    this.#settle(now);
    this.#watchRoom();
    this.#housekeeping.turn(now, this.#edge.packetsRead + this.#edge.packetsWritten);
    return wakeUps;
  }

  /** Without free slots the host's packets wait in the kernel, and the poll must not wake for them. */
  #watchRoom(): void {
    const hasRoom = this.#pool.free >= RESERVED_SLOTS;
    if (hasRoom === this.#hasRoom) return;
    this.#hasRoom = hasRoom;
    this.#poller.setReadable(this.#tunFd, hasRoom);
  }

  /** Sends, delivers and does what the portal asks until nothing is left to do now. */
  #settle(now: Micros): void {
    this.#flush(now);
    this.#deliver(now);
    for (let event = this.#portal.pollEvent(); event; event = this.#portal.pollEvent()) this.#handleEvent(now, event);
  }

  #readTun(now: Micros): void {
    const { slots } = this.#input;
    this.#tunPending = false;
    for (let i = 0; i < READS_PER_TURN; i++) {
      this.#input.clear();
      const count = this.#edge.read(this.#input);
      for (let j = 0; j < count; j++) this.#portal.handlePacket(now, slots[j] as number);
      if (count < BATCH && !this.#edge.isPending) break;
      this.#flush(now);
      this.#tunPending = true;
    }
    if (this.#edge.isGone) {
      this.#isDone = true;
      this.#ended = { type: "stopped", cause: "interface-gone", reason: "deleted from outside" };
      this.#portal.close(now);
    }
  }

  /** A socket can be read, written, or is broken. */
  #serve(now: Micros, fd: number, events: number): void {
    const socket = this.#sockets.of(fd);
    if (!socket) return;
    const { transport } = socket;
    if (transport instanceof TcpListener) return this.#accept(now, socket);
    if (socket.attempt >= 0 && transport instanceof TcpStream) return this.#connected(now, socket, transport);
    if ((events & POLL.OUT) !== 0) this.#resume(now, socket, transport);
    if ((events & ~POLL.OUT) !== 0) this.#receive(now, socket, transport);
  }

  #receive(now: Micros, socket: Socket, transport: Transport): void {
    const input = this.#input;
    const { slots } = input;
    for (let i = 0; i < READS_PER_TURN || transport.hasPending; i++) {
      input.clear();
      const count = transport.receive(input);
      if (count < 0) return this.#lost(now, socket, transport);
      if (count === 0) break;
      for (let j = 0; j < count; j++) {
        this.#portal.handleDatagram(now, socket.id, slots[j] as number, input.remote, input.local);
      }
      // Super-packets grow with what is delivered at once, but the host should not wait for a whole turn of it.
      if (this.#pool.free < SLOTS / 2) this.#deliver(now);
    }
  }

  #deliver(now: Micros): void {
    const output = this.#output;
    for (;;) {
      output.clear();
      this.#portal.pollPackets(now, output);
      if (output.count === 0) return;
      const isMore = output.isFull;
      this.#edge.write(output);
      if (!isMore) return;
    }
  }

  #flush(now: Micros): void {
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
  #send(now: Micros, path: Path, socket: Socket | undefined, batch: PacketBatch): boolean {
    const transport = socket?.transport;
    if (!socket || !transport || transport instanceof TcpListener) {
      this.#release(batch, batch.count);
      return true;
    }
    const lostBefore = transport.counters.lost;
    transport.counters.tooBigSize = 0;
    const taken = transport.send(batch, path.remote, path.local);
    if (transport.counters.tooBigSize > 0) this.#portal.handleTooBig(now, path, transport.counters.tooBigSize);
    if (transport.counters.lost !== lostBefore) {
      this.#portal.handleSendFault(now, path, `cannot send: ${errnoName(transport.counters.lastError)}`);
    }
    if (taken < 0) {
      this.#release(batch, batch.count);
      this.#lost(now, socket, transport as TcpStream);
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

  /** Gives back the first `count` slots and takes them out of the batch. */
  #release(batch: PacketBatch, count: number): void {
    for (let i = 0; i < count; i++) this.#pool.release(batch.at(i));
    batch.shift(count);
  }

  /** Keeps what the socket did not take; it goes first when there is room. */
  #park(path: Path, batch: PacketBatch): void {
    const kept = this.#waiting.get(path) ?? new PacketBatch(BATCH);
    if (kept !== batch) for (let i = 0; i < batch.count; i++) kept.push(batch.at(i));
    this.#waiting.set(path, kept);
  }

  /** A socket has room again. */
  #resume(now: Micros, socket: Socket, transport: Transport): void {
    this.#poller.setWritable(socket.fd, false);
    if (transport instanceof TcpStream && !transport.flush()) {
      if (transport.state === "ended") return this.#lost(now, socket, transport);
      return this.#poller.setWritable(socket.fd, true);
    }
    for (const path of this.#portal.paths) {
      if (path.socket !== socket.id || !path.isBlocked) continue;
      path.isBlocked = false;
      const kept = this.#waiting.get(path);
      if (kept && this.#send(now, path, socket, kept)) this.#waiting.delete(path);
    }
    for (const [path, kept] of this.#waiting) {
      if (path.state !== "down") continue;
      this.#release(kept, kept.count);
      this.#waiting.delete(path);
    }
  }

  #lost(now: Micros, socket: Socket, transport: Transport): void {
    const reason = transport instanceof TcpStream ? `connection ended: ${transport.reason}` : "socket ended";
    this.#sockets.close(socket.id);
    this.#portal.handleSocketClosed(now, socket.id, reason);
  }

  #accept(now: Micros, listener: Socket): void {
    for (const socket of this.#sockets.accept(listener)) this.#portal.addSocket(now, socket.link, socket.id, true);
  }

  #connected(now: Micros, socket: Socket, stream: TcpStream): void {
    const { state } = stream;
    if (state === "connecting") return;
    this.#poller.setWritable(socket.fd, false);
    if (state === "ended") {
      this.#sockets.close(socket.id);
      this.#portal.handleFailed(now, socket.link, socket.attempt, `cannot connect: ${stream.reason}`);
      return;
    }
    this.#portal.handleOpened(now, socket.link, socket.attempt, socket.id, stream.remote, stream.local);
    socket.attempt = -1;
  }

  #addLink(link: DataplaneLink): void {
    this.#links.set(link.settings.id, link);
    this.#portal.addLink(monotonicMicros(), link.settings);
  }

  #handleEvent(now: Micros, event: PortalEvent): void {
    if (event.type === "log") this.#post({ type: "log", level: event.level, key: event.key, text: event.text });
    else if (event.type === "diagnosed" || event.type === "responder-wanted") this.#post(event);
    else if (event.type === "close") this.#sockets.close(event.socket);
    else if (event.type === "send") this.#sendMessage(event.socket, event.remote, event.local, event.message);
    else {
      const link = this.#links.get(event.link);
      const { link: id, attempt } = event;
      if (link) this.#post({ type: "resolve", link: id, attempt, transport: link.transport });
      else this.#portal.handleFailed(now, id, attempt, "link removed");
    }
  }

  #sendMessage(socket: number, remote: Endpoint, local: Endpoint, message: Uint8Array): void {
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

  #open(now: Micros, id: number, attempt: number, remote: Endpoint, local: Endpoint): void {
    const link = this.#links.get(id);
    if (!link) return;
    try {
      const [socket, ...others] = this.#sockets.open(link, attempt, remote, local);
      if (!socket) return;
      const { transport } = socket;
      if (transport instanceof TcpStream) {
        this.#poller.setWritable(socket.fd, true);
        return this.#connected(now, socket, transport);
      }
      socket.attempt = -1;
      this.#portal.handleOpened(now, id, attempt, socket.id, remote, local);
      for (const other of others) {
        other.attempt = -1;
        this.#portal.addSocket(now, id, other.id, false);
      }
    } catch (error) {
      this.#portal.handleFailed(now, id, attempt, error instanceof Error ? error.message : String(error));
    }
  }
}

/** The worker's entry: waits for the start message, runs, and tells why it ended. */
export function runDataplane(): void {
  const scope = globalThis as unknown as { postMessage: Post; onmessage: ((event: MessageEvent) => void) | null };
  const post: Post = (message) => scope.postMessage(message);
  let dataplane: Dataplane | undefined;
  let handled = 0;
  const yieldToMessages = async (wakeUps: number): Promise<void> => {
    const wanted = handled + wakeUps;
    // Each wake-up announces one message; a few turns of the event loop bring them.
    for (let turn = 0; turn < 64 && handled < wanted; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  scope.onmessage = ({ data }: MessageEvent<ToDataplane>) => {
    handled++;
    if (dataplane) return dataplane.handle(data);
    if (data.type !== "start") return;
    try {
      dataplane = new Dataplane(data, post);
      post({ type: "ready" });
      dataplane.run(yieldToMessages).then(post, (error) => post(fault(error)));
    } catch (error) {
      post(fault(error));
    }
  };
}
