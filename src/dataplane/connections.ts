/** The life of the links' sockets: opened when the portal asks, accepted, connected, closed when they end. Cold code. */
import type { Poller } from "../../ffi/poller.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import type { TcpListener } from "../../ffi/tcp-listener.ts";
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Portal } from "../portal/portal.ts";
import type { DataplaneLink } from "./messages.ts";
import type { LinkSocket, SocketTable, SocketTransport } from "./socket-table.ts";

export class Connections {
  readonly #portal: Portal;
  readonly #sockets: SocketTable;
  readonly #poller: Poller;
  readonly #links = new Map<number, DataplaneLink>();

  constructor(portal: Portal, sockets: SocketTable, poller: Poller) {
    this.#portal = portal;
    this.#sockets = sockets;
    this.#poller = poller;
  }

  addLink(now: Micros, link: DataplaneLink): void {
    this.#links.set(link.settings.id, link);
    this.#portal.addLink(now, link.settings);
  }

  removeLink(now: Micros, link: number): void {
    this.#links.delete(link);
    this.#portal.removeLink(now, link);
  }

  /** Returns the link of that number, undefined once it was removed. */
  link(id: number): DataplaneLink | undefined {
    return this.#links.get(id);
  }

  /** Opens the socket of a link's attempt, whose addresses have been looked up. */
  open(now: Micros, id: number, attempt: number, remote: Endpoint, local: Endpoint): void {
    const link = this.#links.get(id);
    if (!link) return;
    try {
      const [socket, ...others] = this.#sockets.open(link, attempt, remote, local);
      if (!socket) return;
      const { transport } = socket;
      if (transport instanceof TcpStream) {
        this.#poller.setWritable(socket.fd, true);
        return this.connected(now, socket, transport);
      }
      socket.attempt = -1;
      this.#portal.handleOpened(now, id, attempt, socket.id, remote, local);
      for (const other of others) {
        other.attempt = -1;
        this.#portal.addSocket(now, id, other.id);
      }
    } catch (error) {
      this.#portal.handleFailed(now, id, attempt, error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes the streams that wait at a listener. */
  accept(now: Micros, listener: LinkSocket): void {
    for (const stream of (listener.transport as TcpListener).accept()) {
      const { id, link } = this.#sockets.add(listener.link, -1, stream);
      this.#portal.addSocket(now, link, id, stream.remote);
    }
  }

  /** Goes on with a stream that was connecting. */
  connected(now: Micros, socket: LinkSocket, stream: TcpStream): void {
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

  /** Closes a socket that ended, and tells the portal why. */
  end(now: Micros, socket: LinkSocket, transport: SocketTransport): void {
    const reason = transport instanceof TcpStream ? `connection ended: ${transport.reason}` : "socket ended";
    this.#sockets.close(socket.id);
    this.#portal.handleSocketClosed(now, socket.id, reason);
  }
}
