/**
 * One end of a tunnel in a test: a real portal with its pool, its randomness from a seed, and the events it asks its data plane to act on. How
 * datagrams travel is for those who build on it: the world of the simulator (`PortalGateway`) and the pair of unit tests.
 */
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import type { Endpoint } from "../../src/endpoint.ts";
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";
import type { PortalEvent } from "../../src/portal/events.ts";
import { Portal } from "../../src/portal/portal.ts";
import type { LinkSettings, TunnelSettings } from "../../src/portal/settings.ts";
import { SeededRandom } from "./random.ts";

export const SHARED_KEY = new Uint8Array(32).fill(7);

/** Returns the settings of a link over UDP; the initiator's metric is 0, the listener takes the peer's. */
export function linkSettings(id: number, role: "initiate" | "listen", more: Partial<LinkSettings> = {}): LinkSettings {
  return {
    id,
    name: `link${id}`,
    method: "UDP",
    role,
    metric: role === "listen" ? undefined : 0,
    congestion: "newreno",
    keepAlive: 10 * MICROS_PER_SECOND,
    timeout: 5 * MICROS_PER_SECOND,
    retryWait: MICROS_PER_SECOND,
    mtu: 0,
    publicAddress: undefined,
    ...more,
  };
}

export type OpenEvent = Extract<PortalEvent, { type: "open" }>;
export type LogEvent = Extract<PortalEvent, { type: "log" }>;
export type SendEvent = Extract<PortalEvent, { type: "send" }>;

export abstract class PortalEnd {
  readonly pool: PacketPool;
  /** Lines of the portal's log. */
  readonly logs: string[] = [];
  portal: Portal;

  constructor(pool: PacketPool, settings: Partial<TunnelSettings>, seed: number) {
    this.pool = pool;
    this.portal = PortalEnd.start(pool, settings, seed);
  }

  /** Returns a portal on this pool: another seed for every start. */
  static start(pool: PacketPool, settings: Partial<TunnelSettings>, seed: number): Portal {
    const usual: TunnelSettings = { security: "none", sharedKey: SHARED_KEY, mtu: 1400 };
    return new Portal({ ...usual, ...settings }, pool, new SeededRandom(seed).bytes);
  }

  /** Hands the portal a datagram as if it had come in on a socket. */
  receive(now: Micros, socket: number, bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    this.portal.handleDatagram(now, socket, this.#fill(bytes), remote, local);
  }

  /** Acts on everything the portal asks for. */
  handleEvents(now: Micros): void {
    for (let event = this.portal.pollEvent(); event; event = this.portal.pollEvent()) {
      if (event.type === "log") this.logs.push(this.lineOf(now, event));
      else if (event.type === "open") this.openSocket(now, event);
      else if (event.type === "close") this.closeSocket(event.socket);
      else if (event.type === "send") this.sendMessage(event, now);
      else this.handleOther(event);
    }
  }

  protected lineOf(_now: Micros, { text }: LogEvent): string {
    return text;
  }
  protected abstract openSocket(now: Micros, event: OpenEvent): void;
  protected abstract sendMessage(event: SendEvent, now: Micros): void;
  protected closeSocket(_socket: number): void {}
  /** Answers to questions, and what the peer asks of this end. */
  protected handleOther(_event: PortalEvent): void {}

  #fill(bytes: Uint8Array): Slot {
    const slot = this.pool.take();
    if (slot < 0) throw new Error("the pool is empty");
    this.pool.start[slot] = this.pool.datagramOrigin(slot);
    this.pool.bytes.set(bytes, this.pool.start[slot]);
    this.pool.length[slot] = bytes.length;
    return slot;
  }
}
