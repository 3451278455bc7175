// @hot
/**
 * The data plane: one thread that waits in one blocking poll on the TUN and every socket, reads the clock once a turn and moves packets in
 * batches between them and the portal. It answers the control plane between turns.
 */

import { POLL } from "../../ffi/layout.ts";
import { monotonicMicros } from "../../ffi/monotonic-clock.ts";
import { Poller } from "../../ffi/poller.ts";
import { limitThread } from "../../ffi/privileges.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import { adoptTun } from "../../ffi/tun.ts";
import { drain } from "../../ffi/wake.ts";
import { type Micros, NEVER } from "../clock.ts";
import { PacketBatch } from "../memory/packet-batch.ts";
import { PacketPool } from "../memory/packet-pool.ts";
import type { PortalEvent } from "../portal/events.ts";
import type { Portal } from "../portal/portal.ts";
import { BATCH, READS_PER_TURN, RESERVED_SLOTS, SLOTS } from "./capacities.ts";
import { Connections } from "./connections.ts";
import { createPortal } from "./create-portal.ts";
import { withEdges } from "./edge-drops.ts";
import { Housekeeping } from "./housekeeping.ts";
import { LoopMeter } from "./loop-meter.ts";
import type { FromDataplane, StartMessage, ToDataplane } from "./messages.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { SocketTable } from "./socket-table.ts";
import { TunEdge } from "./tun-edge.ts";

/** Bytes by which a datagram may exceed the tunnel's MTU. */
const DATAGRAM_GROWTH = 128;
const ETHERNET_MTU = 1_500;

export type Post = (message: FromDataplane) => void;

export class Dataplane {
  readonly #post: Post;
  readonly #poller = new Poller();
  readonly #pool: PacketPool;
  readonly #portal: Portal;
  readonly #sockets: SocketTable;
  readonly #connections: Connections;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #edge: TunEdge;
  readonly #tunFd: number;
  readonly #wakeFd: number;
  readonly #input = new PacketBatch(BATCH);
  readonly #meter = new LoopMeter();
  readonly #housekeeping = new Housekeeping(() => Bun.gc(true));
  /** True if the TUN has more than the poll tells. */
  #tunPending = false;
  #hasRoom = true;
  #isDone = false;
  #ended: FromDataplane = { type: "stopped", cause: "asked", reason: "asked to stop" };

  constructor(start: StartMessage, post: Post) {
    this.#post = post;
    limitThread();
    this.#pool = new PacketPool(SLOTS, Math.max(ETHERNET_MTU, start.tunnel.mtu) + DATAGRAM_GROWTH);
    const pool = this.#pool;
    const portal = createPortal(start.tunnel, pool);
    const sockets = new SocketTable(pool, this.#poller, start.mark);
    const connections = new Connections(portal, sockets, this.#poller);
    const output = new PacketBatch(BATCH);
    this.#portal = portal;
    this.#sockets = sockets;
    this.#connections = connections;
    this.#edge = new TunEdge(pool, adoptTun(start.tunFd));
    this.#sender = new Sender(pool, portal, sockets, connections, this.#poller, output);
    this.#receiver = new Receiver(pool, portal, this.#edge, connections, this.#input, output);
    this.#tunFd = start.tunFd;
    this.#wakeFd = start.wakeFd;
    this.#poller.add(start.tunFd, POLL.IN);
    this.#poller.add(start.wakeFd, POLL.IN);
    for (const link of start.links) connections.addLink(monotonicMicros(), link);
  }

  /** Runs until it is asked to stop. `yieldToMessages` has the messages handled that so many wake-ups announced. */
  async run(yieldToMessages: (wakeUps: number) => Promise<void>): Promise<FromDataplane> {
    this.#settle(monotonicMicros());
    while (!this.#isDone) {
      const wakeUps = this.#turn();
      if (wakeUps > 0) await yieldToMessages(wakeUps);
    }
    this.#sockets.closeAll();
    return this.#ended;
  }

  /** Does what a message of the control plane asks. */
  handle(message: ToDataplane): void {
    const now = monotonicMicros();
    if (message.type === "resolved") {
      this.#connections.open(now, message.link, message.attempt, message.remote, message.local);
    } else if (message.type === "unresolved") {
      this.#portal.handleFailed(now, message.link, message.attempt, message.reason);
    } else if (message.type === "add-link") this.#connections.addLink(now, message.link);
    else if (message.type === "remove-link") this.#connections.removeLink(now, message.link);
    else if (message.type === "ask") this.#portal.ask(now, message.request, message.query);
    else if (message.type === "responder") this.#portal.handleResponder(now, message.token, message.responder);
    else if (message.type === "change-link") this.#portal.changeLink(now, message.link, message.change);
    else if (message.type === "snapshot") {
      const snapshot = withEdges(this.#portal.snapshot(now), this.#edge, this.#sockets, this.#meter);
      this.#post({ type: "snapshot", request: message.request, snapshot });
    } else if (message.type === "stop") {
      this.#portal.close(now);
      this.#isDone = true;
    }
    this.#settle(now);
  }

  /** Waits once and does what follows from it; returns how often the control plane wrote to wake the thread. */
  #turn(): number {
    const isPending = this.#tunPending && this.#hasRoom;
    const dueAt = isPending ? NEVER : this.#portal.pollTimeout(monotonicMicros());
    this.#poller.wait(isPending ? 0 : dueAt - monotonicMicros());
    const now = monotonicMicros();
    let wakeUps = 0;
    let tunReady = this.#tunPending;
    const firstReady = this.#poller.next(-1);
    for (let at = firstReady; at >= 0; at = this.#poller.next(at)) {
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
    this.#meter.turn(firstReady < 0 ? dueAt : NEVER, now, monotonicMicros());
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
    this.#sender.flush(now);
    this.#receiver.deliver(now);
    for (let event = this.#portal.pollEvent(); event; event = this.#portal.pollEvent()) this.#handleEvent(now, event);
  }

  /** Takes the host's packets, up to a turn's share. */
  #readTun(now: Micros): void {
    const { slots } = this.#input;
    this.#tunPending = false;
    for (let i = 0; i < READS_PER_TURN; i++) {
      this.#input.clear();
      const count = this.#edge.read(this.#input);
      for (let j = 0; j < count; j++) this.#portal.handlePacket(now, slots[j] as number);
      if (count < BATCH && !this.#edge.isPending) break;
      this.#sender.flush(now);
      this.#tunPending = true;
    }
    if (this.#edge.isGone) {
      this.#isDone = true;
      this.#ended = { type: "stopped", cause: "interface-gone", reason: "deleted from outside" };
      this.#portal.close(now);
    }
  }

  /** Serves a socket that can be read, written, or is broken. */
  #serve(now: Micros, fd: number, events: number): void {
    const socket = this.#sockets.of(fd);
    if (!socket) return;
    const { transport } = socket;
    if (transport instanceof TcpListener) return this.#connections.accept(now, socket);
    if (socket.attempt >= 0 && transport instanceof TcpStream) {
      return this.#connections.connected(now, socket, transport);
    }
    if ((events & POLL.OUT) !== 0) this.#sender.resume(now, socket, transport);
    if ((events & ~POLL.OUT) !== 0) this.#receiver.receive(now, socket, transport);
  }

  #handleEvent(now: Micros, event: PortalEvent): void {
    if (event.type === "log") this.#post({ type: "log", level: event.level, key: event.key, text: event.text });
    else if (event.type === "diagnosed" || event.type === "responder-wanted") this.#post(event);
    else if (event.type === "close") this.#sockets.close(event.socket);
    else if (event.type === "send") {
      this.#sender.sendMessage(event.socket, event.remote, event.local, event.message);
    } else {
      const { link: id, attempt } = event;
      const link = this.#connections.link(id);
      if (link) this.#post({ type: "resolve", link: id, attempt, transport: link.transport });
      else this.#portal.handleFailed(now, id, attempt, "link removed");
    }
  }
}
