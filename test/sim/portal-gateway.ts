/**
 * A real portal as the world's gateway: opens its sockets, carries its exchange messages, and tells links from addresses.
 * Side `s` has the address 198.51.<link>.<s + 1> on each link; a side with a single interface has 203.0.113.<s + 1> on all.
 */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { addressOf, createEndpoint, type Endpoint, sameEndpoint, setEndpoint } from "../../src/endpoint.ts";
import { assert } from "../../src/errors.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { NO_SLOT, PacketPool, type Slot } from "../../src/memory/packet-pool.ts";
import type { Path } from "../../src/path/path.ts";
import type { LinkSettings, SecurityName, TunnelSettings } from "../../src/portal/settings.ts";
import type { Side } from "../support/packets/slots.ts";
import { type LogEvent, linkSettings, type OpenEvent, PortalEnd, type SendEvent } from "../support/portal-end.ts";
import type { Gateway } from "./gateway.ts";

const PORT = 4725;
/** IPv4 and UDP. */
const ENCAPSULATION = 28;
const POOL_SLOTS = 8_192;
const PACKET_CAPACITY = 1_920;

export interface PortalOptions {
  readonly side: Side;
  readonly links: number;
  /** Draws the portal's randomness; another one for every start. */
  readonly seed: number;
  readonly role: "initiate" | "listen";
  readonly security?: SecurityName;
  readonly mtu?: number;
  readonly scheduling?: TunnelSettings["scheduling"];
  /** Further settings of the tunnel. */
  readonly tunnel?: Partial<TunnelSettings>;
  /** One socket and one configured link for all; for listeners. */
  readonly isSingle?: boolean;
  readonly link?: Partial<LinkSettings>;
  /** Overrides for single links, by number. */
  readonly each?: Readonly<Record<number, Partial<LinkSettings>>>;
  /** When the portal starts; before, it takes in nothing. */
  readonly startAt?: Micros;
}

/** As the program has it: a metric that is not configured travels as 0, and a silent peer counts as gone after 25 s. */
const DEFAULT_LINK: Partial<LinkSettings> = { metric: undefined, timeout: 25 * MICROS_PER_SECOND };

/** The two ways to combine links, for `PortalOptions`: the default, and the dissertation's. */
export const ADAPTIVE = { scheduling: "adaptive", link: { congestion: "rate" } } as const;
export const DISSERTATION = { scheduling: "greedy", link: { congestion: "newreno" } } as const;

const KEY = new Uint8Array(32).fill(0x5a);

export class PortalGateway extends PortalEnd implements Gateway {
  readonly encapsulation = ENCAPSULATION;
  /** Datagrams sent to an address that the peer does not have. */
  misdirected = 0;
  readonly #options: PortalOptions;
  readonly #single: boolean;
  /** Socket by link, and link by socket. */
  readonly #sockets = new Map<number, number>();
  readonly #links = new Map<number, number>();
  #nextSocket = 100;
  /** Exchange messages on their way out, by link. */
  readonly #messages = new Map<number, Uint8Array[]>();
  readonly #remotes: Endpoint[];
  readonly #locals: Endpoint[];
  readonly #scratch: PacketBatch;
  #started = false;
  #startAt: Micros;
  #now: Micros = 0;

  constructor(options: PortalOptions) {
    const { security = "none", mtu = 1400, scheduling, tunnel } = options;
    const settings = { security, sharedKey: KEY, mtu, scheduling, ...tunnel };
    super(new PacketPool(POOL_SLOTS, PACKET_CAPACITY), settings, options.seed);
    this.#options = options;
    this.#single = options.isSingle ?? false;
    this.#startAt = options.startAt ?? 0;
    this.#scratch = new PacketBatch(64);
    this.#locals = Array.from({ length: options.links }, (_, link) => addressAt(options.side, link, this.#single));
    this.#remotes = Array.from({ length: options.links }, (_, link) =>
      addressAt((1 - options.side) as Side, link, false),
    );
  }

  /** Tells that the peer has one address for all links. */
  setRemote(link: number, remote: Endpoint): void {
    (this.#remotes[link] as Endpoint).set(remote);
  }

  /** Removes the link from the portal, as a reload does. */
  removeLink(now: Micros, link: number): void {
    this.portal.removeLink(now, link);
    this.handleEvents(now);
  }

  addLink(now: Micros, link: number): void {
    this.portal.addLink(now, this.#settings(link));
    this.handleEvents(now);
  }

  /** Ends orderly: the peer is told with the next datagrams. */
  close(now: Micros): void {
    this.portal.close(now);
    this.handleEvents(now);
  }

  handlePacket(now: Micros, slot: Slot): void {
    if (this.#started) this.portal.handlePacket(now, slot);
    else this.pool.release(slot);
  }

  handleDatagram(now: Micros, link: number, slot: Slot): void {
    const socket = this.#sockets.get(this.#single ? 0 : link);
    if (!this.#started || socket === undefined) {
      this.pool.release(slot);
      return;
    }
    this.portal.handleDatagram(now, socket, slot, this.#remotes[link] as Endpoint, this.#locals[link] as Endpoint);
    this.handleEvents(now);
  }

  handleTimeout(now: Micros): void {
    if (!this.#started) this.#start(now);
    this.portal.handleTimeout(now);
    this.handleEvents(now);
  }

  pollDatagrams(now: Micros, link: number, out: PacketBatch): number {
    if (!this.#started) return 0;
    this.handleEvents(now);
    this.#takeMessages(link, out);
    for (const path of this.portal.paths) if (this.#linkOf(path) === link) this.#pollPath(now, path, link, out);
    return out.count;
  }

  /** Polls a path; datagrams to an address that the peer has no more reach nobody. */
  #pollPath(now: Micros, path: Path, link: number, out: PacketBatch): void {
    const before = out.count;
    this.portal.pollDatagrams(now, path, out);
    if (sameEndpoint(path.remote, this.#remotes[link] as Endpoint)) return;
    for (let i = before; i < out.count; i++) this.pool.release(out.at(i));
    this.misdirected += out.count - before;
    out.count = before;
  }

  pollPackets(now: Micros, out: PacketBatch): number {
    this.portal.pollPackets(now, out);
    return out.count;
  }

  pollTimeout(): Micros {
    return this.#started ? this.portal.pollTimeout(this.#now) : this.#startAt;
  }

  check(now: Micros): void {
    this.#now = now;
    for (const path of this.portal.paths) {
      assert(path.sent.bytesInFlight >= 0 && path.sent.packetsInFlight >= 0, "in flight is not negative");
      assert(path.sent.packetsInFlight > 0 || path.sent.bytesInFlight === 0, "bytes in flight belong to datagrams");
    }
    this.portal.pollPackets(now, this.#scratch);
    assert(this.#scratch.count === 0, "all packets for the host were polled");
  }

  #start(now: Micros): void {
    this.#started = true;
    const count = this.#single ? 1 : this.#options.links;
    for (let link = 0; link < count; link++) this.portal.addLink(now, this.#settings(link));
    this.portal.handleTimeout(now);
  }

  #settings(link: number): LinkSettings {
    const { role, each } = this.#options;
    return linkSettings(link, role, { ...DEFAULT_LINK, ...this.#options.link, ...each?.[link] });
  }

  protected override lineOf(now: Micros, { level, text }: LogEvent): string {
    return `${(now / MICROS_PER_MILLI).toFixed(1)} ms ${level} ${text}`;
  }

  protected override openSocket(now: Micros, { link, attempt }: OpenEvent): void {
    const socket = this.#nextSocket++;
    this.#sockets.set(link, socket);
    this.#links.set(socket, link);
    const isListener = this.#settings(link).role === "listen";
    const remote = isListener ? createEndpoint() : (this.#remotes[link] as Endpoint);
    this.portal.handleOpened(now, link, attempt, socket, remote, this.#locals[link] as Endpoint);
  }

  protected override closeSocket(socket: number): void {
    const link = this.#links.get(socket);
    this.#links.delete(socket);
    if (link !== undefined && this.#sockets.get(link) === socket) this.#sockets.delete(link);
  }

  protected override sendMessage({ socket, remote, message }: SendEvent): void {
    const link = this.#single ? linkOfAddress(remote) : this.#links.get(socket);
    if (link === undefined) return;
    const waiting = this.#messages.get(link);
    if (waiting) waiting.push(message.slice());
    else this.#messages.set(link, [message.slice()]);
  }

  #takeMessages(link: number, out: PacketBatch): void {
    const waiting = this.#messages.get(link);
    while (waiting && waiting.length > 0 && !out.isFull) {
      const slot = this.pool.take();
      if (slot === NO_SLOT) return;
      const message = waiting.shift() as Uint8Array;
      this.pool.bytes.set(message, this.pool.start[slot] as number);
      this.pool.length[slot] = message.length;
      out.push(slot);
    }
  }

  #linkOf(path: Path): number | undefined {
    return this.#single ? linkOfAddress(path.remote) : this.#links.get(path.socket);
  }
}

/** Returns the address of a side on a link. */
export function addressAt(side: Side, link: number, isSingle: boolean): Endpoint {
  const endpoint = createEndpoint();
  const bytes = isSingle ? [203, 0, 113, side + 1] : [198, 51, link, side + 1];
  setEndpoint(endpoint, 4, Uint8Array.from(bytes), PORT);
  return endpoint;
}

function linkOfAddress(endpoint: Endpoint): number {
  return addressOf(endpoint)[2] as number;
}
