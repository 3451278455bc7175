/** The sockets of the portal's links: which link each belongs to, and which accepted connections still have to get a path. */
import { type Micros, NEVER } from "../../clock.ts";
import type { PortalContext } from "../context.ts";

/** An accepted connection without a path is closed after this time. */
const ACCEPTED_TIMEOUT: Micros = 10_000_000;

export interface OwnedSocket {
  readonly link: number;
  /** TCP: one peer, and the end of the connection is the end of the path. */
  readonly isConnected: boolean;
  /** When an accepted connection must have a path; `NEVER` for other sockets. */
  readonly deadline: Micros;
}

export class LinkSockets {
  readonly #context: PortalContext;
  readonly #sockets = new Map<number, OwnedSocket>();

  constructor(context: PortalContext) {
    this.#context = context;
  }

  get(socket: number): OwnedSocket | undefined {
    return this.#sockets.get(socket);
  }

  /** Adds the socket of an attempt or a listener. */
  add(socket: number, link: number, isConnected: boolean): void {
    this.#sockets.set(socket, { link, isConnected, deadline: NEVER });
  }

  /** Adds a connection that a listener accepted. */
  addAccepted(now: Micros, socket: number, link: number): void {
    this.#sockets.set(socket, { link, isConnected: true, deadline: now + ACCEPTED_TIMEOUT });
  }

  of(link: number): number[] {
    return [...this.#sockets].filter(([, facts]) => facts.link === link).map(([socket]) => socket);
  }

  /** Forgets a socket that has ended; returns what it was. */
  remove(socket: number): OwnedSocket | undefined {
    const facts = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    return facts;
  }

  /** Returns the accepted connections whose time has run out; one that has a path by now is none of them. */
  takeIdle(now: Micros): number[] {
    const idle: number[] = [];
    for (const [socket, facts] of this.#sockets) {
      if (now < facts.deadline) continue;
      if (this.#hasPath(socket)) this.#sockets.set(socket, { ...facts, deadline: NEVER });
      else idle.push(socket);
    }
    return idle;
  }

  deadline(): Micros {
    let at = NEVER;
    for (const { deadline } of this.#sockets.values()) at = Math.min(at, deadline);
    return at;
  }

  #hasPath(socket: number): boolean {
    return this.#context.paths.list.some((path) => path.socket === socket && path.state !== "exchanging");
  }
}
