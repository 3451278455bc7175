/**
 * The sockets of the portal's links: which link each belongs to, and which accepted connections still have to get a path. Anybody can
 * connect without a key: so these are few, by network too, and a new one takes the place of the oldest.
 */
import { type Micros, NEVER } from "../../clock.ts";
import { type Endpoint, networkOf } from "../../endpoint.ts";
import type { PortalContext } from "../context.ts";

/** An accepted connection is closed if it has sent no initiation with our key after this time. */
const INITIATION_TIMEOUT: Micros = 2_000_000;
/** An accepted connection is closed if it has no path after this time. */
const ACCEPTED_TIMEOUT: Micros = 10_000_000;
/** Accepted connections without a path, in all and of one network (IPv4 /32, IPv6 /64). */
const MAX_PENDING = 64;
const MAX_OF_NETWORK = 16;

export interface OwnedSocket {
  readonly link: number;
  /** TCP: one peer, and the end of the connection is the end of the path. */
  readonly isConnected: boolean;
}

interface Pending {
  readonly network: string;
  readonly since: Micros;
  /** Time by which the next step towards a path must be done. */
  deadline: Micros;
}

export class LinkSockets {
  readonly #context: PortalContext;
  readonly #sockets = new Map<number, OwnedSocket>();
  /** Accepted connections without a path, the oldest first. */
  readonly #pending = new Map<number, Pending>();

  constructor(context: PortalContext) {
    this.#context = context;
  }

  get(socket: number): OwnedSocket | undefined {
    return this.#sockets.get(socket);
  }

  /** Adds the socket of an attempt or a listener. */
  add(socket: number, link: number, isConnected: boolean): void {
    this.#sockets.set(socket, { link, isConnected });
  }

  /** Adds a connection that a listener accepted from `peer`; returns the one to close for it, if there were too many. */
  addAccepted(now: Micros, socket: number, link: number, peer: Endpoint): number | undefined {
    const network = networkOf(peer);
    for (const each of this.#pending.keys()) if (this.#hasPath(each)) this.#pending.delete(each);
    const pending = [...this.#pending];
    const neighbours = pending.filter(([, each]) => each.network === network);
    const from = neighbours.length >= MAX_OF_NETWORK ? neighbours : pending.length >= MAX_PENDING ? pending : [];
    this.add(socket, link, true);
    this.#pending.set(socket, { network, since: now, deadline: now + INITIATION_TIMEOUT });
    return from[0]?.[0];
  }

  /** Gives an accepted connection the time for a path, as an initiation with our key arrived on it. */
  noteInitiation(socket: number): void {
    const pending = this.#pending.get(socket);
    if (pending) pending.deadline = pending.since + ACCEPTED_TIMEOUT;
  }

  of(link: number): number[] {
    return [...this.#sockets].filter(([, facts]) => facts.link === link).map(([socket]) => socket);
  }

  /** Forgets a socket that has ended; returns what it was. */
  remove(socket: number): OwnedSocket | undefined {
    const facts = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    this.#pending.delete(socket);
    return facts;
  }

  /** Returns the accepted connections whose time has run out. */
  takeIdle(now: Micros): number[] {
    const due = [...this.#pending].filter(([, { deadline }]) => now >= deadline).map(([socket]) => socket);
    for (const socket of due) this.#pending.delete(socket);
    return due.filter((socket) => !this.#hasPath(socket));
  }

  deadline(): Micros {
    let at = NEVER;
    for (const { deadline } of this.#pending.values()) at = Math.min(at, deadline);
    return at;
  }

  #hasPath(socket: number): boolean {
    return this.#context.paths.list.some((path) => path.socket === socket && path.state !== "exchanging");
  }
}
