/** Two portals joined by perfect links in virtual time: what a unit test of the portal needs, and no more. */
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import type { PortalEvent } from "../../src/portal/events.ts";
import { Portal } from "../../src/portal/portal.ts";
import type { LinkSettings, TunnelSettings } from "../../src/portal/settings.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { SeededRandom } from "../support/random.ts";

export const SHARED_KEY = new Uint8Array(32).fill(7);
const DELAY = 5_000;

/** Of a portal with a key pair. */
export function keysOf(own: Uint8Array, peer: Uint8Array): Partial<TunnelSettings> {
  const { publicKey: peerKey } = new KeyPair(peer);
  return { security: "auto", sharedKey: undefined, privateKey: own, peerKey };
}

export function linkSettings(id: number, role: "initiate" | "listen", more: Partial<LinkSettings> = {}): LinkSettings {
  return {
    id,
    name: `link${id}`,
    method: "UDP",
    role,
    metric: role === "listen" ? undefined : 0,
    congestion: "newreno",
    keepAlive: 10_000_000,
    timeout: 5_000_000,
    retryWait: 1_000_000,
    mtu: 0,
    publicAddress: undefined,
    ...more,
  };
}

interface Flight {
  readonly at: number;
  readonly to: End;
  readonly socket: number;
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
}

/** One end: a portal with its pool, and everything that came out of it. */
export class End {
  readonly pool = new PacketPool(4096, 1900);
  readonly delivered: Uint8Array[] = [];
  readonly logs: string[] = [];
  /** Answers to questions, and what the peer asks of this end. */
  readonly asked: PortalEvent[] = [];
  readonly batch = new PacketBatch(64);
  readonly address: Endpoint;
  portal: Portal;

  constructor(address: string, seed: number, settings: Partial<TunnelSettings> = {}) {
    this.address = parseEndpoint(address, 4725) as Endpoint;
    this.portal = End.start(this.pool, seed, settings);
  }

  static start(pool: PacketPool, seed: number, settings: Partial<TunnelSettings> = {}): Portal {
    return new Portal(
      { security: "blake2s", sharedKey: SHARED_KEY, mtu: 1400, ...settings },
      pool,
      new SeededRandom(seed).bytes,
    );
  }

  /** Offers a packet as the host would. */
  offer(now: number, packet: Uint8Array): void {
    const slot = this.pool.take();
    this.pool.bytes.set(packet, this.pool.start[slot]);
    this.pool.length[slot] = packet.length;
    this.portal.handlePacket(now, slot);
  }
}

/**
 * `a` initiates, `b` listens on its one socket 0. Socket n of `a` is link n, and what it sends leaves from port 1000 + n.
 */
export class Pair {
  now = 1_000_000;
  readonly a: End;
  readonly b: End;
  /** Links (socket numbers of `a`) whose datagrams vanish. */
  readonly cut = new Set<number>();
  /** Every datagram sent, for tampering and replay. */
  readonly seen: { from: End; bytes: Uint8Array; link: number }[] = [];
  readonly #flights: Flight[] = [];

  constructor(a: End = new End("192.0.2.1", 1), b: End = new End("192.0.2.2", 2)) {
    this.a = a;
    this.b = b;
  }

  /** Runs for `duration` µs, to quiescence at each instant. */
  run(duration: number): void {
    const end = this.now + duration;
    for (;;) {
      this.#settle(this.a);
      this.#settle(this.b);
      const arrival = this.#flights[0]?.at ?? Number.POSITIVE_INFINITY;
      const next = Math.min(arrival, this.a.portal.pollTimeout(this.now), this.b.portal.pollTimeout(this.now));
      if (next > end) break;
      this.now = Math.max(this.now, Math.ceil(next));
      while (this.#flights[0] && this.#flights[0].at <= this.now) this.#land(this.#flights.shift() as Flight);
      this.a.portal.handleTimeout(this.now);
      this.b.portal.handleTimeout(this.now);
    }
    this.now = end;
  }

  /** Puts a datagram in front of an end as if it had come from `remote`. */
  inject(to: End, bytes: Uint8Array, remote: Endpoint, socket = 0): void {
    this.#land({ at: this.now, to, socket, bytes, remote });
    this.#settle(to);
  }

  #land(flight: Flight): void {
    const { pool, portal } = flight.to;
    const slot = pool.take();
    pool.start[slot] = pool.datagramOrigin(slot);
    pool.bytes.set(flight.bytes, pool.start[slot]);
    pool.length[slot] = flight.bytes.length;
    portal.handleDatagram(this.now, flight.socket, slot, flight.remote, createEndpoint());
  }

  #settle(end: End): void {
    const { portal, pool, batch } = end;
    for (const path of portal.paths) {
      batch.clear();
      portal.pollDatagrams(this.now, path, batch);
      for (let i = 0; i < batch.count; i++) {
        const slot = batch.at(i);
        const start = pool.start[slot] as number;
        this.#launch(end, path.socket, path.remote, pool.bytes.slice(start, start + (pool.length[slot] as number)));
        pool.release(slot);
      }
    }
    batch.clear();
    portal.pollPackets(this.now, batch);
    for (let i = 0; i < batch.count; i++) {
      const slot = batch.at(i);
      const start = pool.start[slot] as number;
      end.delivered.push(pool.bytes.slice(start, start + (pool.length[slot] as number)));
      pool.release(slot);
    }
    for (let event = portal.pollEvent(); event; event = portal.pollEvent()) this.#handleEvent(end, event);
  }

  #handleEvent(end: End, event: PortalEvent): void {
    if (event.type === "log") end.logs.push(event.text);
    if (event.type === "diagnosed" || event.type === "responder-wanted") end.asked.push(event);
    if (event.type === "send") this.#launch(end, event.socket, event.remote, event.message);
    if (event.type !== "open") return;
    const isListener = end === this.b;
    const remote = isListener ? createEndpoint() : this.b.address;
    end.portal.handleOpened(this.now, event.link, event.attempt, isListener ? 0 : event.link, remote, createEndpoint());
    this.#settle(end);
  }

  #launch(from: End, socket: number, remote: Endpoint, bytes: Uint8Array): void {
    const isFromA = from === this.a;
    const link = isFromA ? socket : ((remote[2] as number) << 8) + (remote[3] as number) - 1000;
    this.seen.push({ from, bytes, link });
    if (this.cut.has(link)) return;
    const source = from.address.slice();
    if (isFromA) new DataView(source.buffer).setUint16(2, 1000 + link);
    this.#flights.push({
      at: this.now + DELAY,
      to: isFromA ? this.b : this.a,
      socket: isFromA ? 0 : link,
      bytes,
      remote: source,
    });
  }
}
