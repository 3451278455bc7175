/**
 * The data plane's sockets by number and by descriptor: opens, closes and lists them. This is cold code; the loop that
 * moves datagrams through them is in `sender.ts` and `receiver.ts`.
 */
import { POLL } from "../../ffi/layout.ts";
import type { Poller } from "../../ffi/poller.ts";
import { RawSocket } from "../../ffi/raw.ts";
import { TcpStream } from "../../ffi/tcp.ts";
import { TcpListener } from "../../ffi/tcp-listener.ts";
import { UdpSocket } from "../../ffi/udp.ts";
import { createEndpoint, type Endpoint, familyOf, setPort } from "../endpoint.ts";
import type { PacketPool } from "../memory/packet-pool.ts";
import type { DataplaneLink } from "./messages.ts";

export type SocketTransport = UdpSocket | RawSocket | TcpStream;

export interface LinkSocket {
  readonly id: number;
  readonly link: number;
  /** The link's attempt that opened a stream that is still connecting; -1 for every other socket. */
  attempt: number;
  readonly transport: SocketTransport | TcpListener;
  readonly fd: number;
}

export class SocketTable {
  readonly #pool: PacketPool;
  readonly #poller: Poller;
  readonly #mark: number | undefined;
  readonly #byId: (LinkSocket | undefined)[] = [];
  readonly #byFd: (LinkSocket | undefined)[] = [];

  /** @param mark SO_MARK of every socket */
  constructor(pool: PacketPool, poller: Poller, mark?: number) {
    this.#pool = pool;
    this.#poller = poller;
    this.#mark = mark;
  }

  at(id: number): LinkSocket | undefined {
    return this.#byId[id];
  }

  /** Returns the socket with the descriptor `fd`. */
  of(fd: number): LinkSocket | undefined {
    return this.#byFd[fd];
  }

  get all(): readonly (LinkSocket | undefined)[] {
    return this.#byId;
  }

  /**
   * Opens the sockets of a link: one, or for a listener of the IP transport at any address one for each IP version.
   * @param remote family 0 for a listener
   * @throws NetcombinerError when the system refuses
   */
  open(link: DataplaneLink, attempt: number, remote: Endpoint, local: Endpoint): LinkSocket[] {
    const { settings, transport } = link;
    const request = {
      family: familyOf(remote) === 0 ? listenFamily(local) : (familyOf(remote) as 4 | 6),
      local,
      interface: transport.localInterface,
      mark: this.#mark,
    };
    const add = (opened: SocketTransport | TcpListener): LinkSocket => this.add(settings.id, attempt, opened);
    if (settings.method === "UDP") return [add(unfragmented(UdpSocket.open(this.#pool, request)))];
    if (settings.method === "IP") return this.#openRaw(link, attempt, request.family, local);
    const userTimeout = Math.round(settings.timeout / 1000);
    if (settings.role === "listen") return [add(TcpListener.open(this.#pool, { ...request, userTimeout }))];
    return [add(TcpStream.connect(this.#pool, { ...request, remote, userTimeout }))];
  }

  #openRaw(link: DataplaneLink, attempt: number, family: 0 | 4 | 6, local: Endpoint): LinkSocket[] {
    const { protocol, localInterface } = link.transport;
    const shared = { interface: localInterface, mark: this.#mark, protocol };
    const bare = local.slice();
    setPort(bare, 0);
    const open = (version: 4 | 6): LinkSocket => {
      const raw = RawSocket.open(this.#pool, { family: version, local: bare, ...shared });
      return this.add(link.settings.id, attempt, unfragmented(raw));
    };
    if (family !== 0) return [open(family)];
    bare.set(createEndpoint());
    const four = open(4);
    try {
      return [four, open(6)];
    } catch {
      // A host without IPv6 listens on IPv4 alone.
      return [four];
    }
  }

  close(id: number): void {
    const socket = this.#byId[id];
    if (!socket) return;
    this.#poller.remove(socket.fd);
    socket.transport.close();
    this.#byId[id] = undefined;
    this.#byFd[socket.fd] = undefined;
  }

  closeAll(): void {
    for (const socket of this.#byId) if (socket) this.close(socket.id);
  }

  /** Registers a socket that is open. @param attempt of a stream that is connecting, -1 for all others */
  add(link: number, attempt: number, transport: SocketTransport | TcpListener): LinkSocket {
    const free = this.#byId.indexOf(undefined);
    const id = free < 0 ? this.#byId.length : free;
    const socket = { id, link, attempt, transport, fd: transport.fd };
    this.#byId[id] = socket;
    this.#byFd[socket.fd] = socket;
    this.#poller.add(socket.fd, POLL.IN);
    return socket;
  }
}

/** Has datagrams lost that are too large: fragmented ones would deceive the search for the path's MTU. */
function unfragmented<T extends UdpSocket | RawSocket>(socket: T): T {
  socket.setDontFragment(true);
  return socket;
}

/** Returns the IP version to listen to; 0, both where the transport can, for an unspecified address. */
function listenFamily(local: Endpoint): 0 | 4 | 6 {
  const family = familyOf(local);
  return family === 4 || family === 6 ? family : 0;
}
