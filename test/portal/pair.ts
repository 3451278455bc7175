/** Two portals joined by perfect links in virtual time: what a unit test of the portal needs, and no more. */
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import type { PortalEvent } from "../../src/portal/events.ts";
import type { TunnelSettings } from "../../src/portal/settings.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { linkSettings, type OpenEvent, PortalEnd, type SendEvent } from "../support/portal-end.ts";
import { contentOf, slotWith } from "../support/slots.ts";

const DELAY = 5_000;

/** Returns the settings of a portal with a key pair. */
export function keysOf(own: Uint8Array, peer: Uint8Array): Partial<TunnelSettings> {
  const { publicKey: peerKey } = new KeyPair(peer);
  return { security: "auto", sharedKey: undefined, privateKey: own, peerKey };
}

interface Flight {
  readonly at: number;
  readonly to: End;
  readonly socket: number;
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
}

/** One end, and everything that came out of it; its network is the pair's. */
export class End extends PortalEnd {
  readonly delivered: Uint8Array[] = [];
  /** Answers to questions, and what the peer asks of this end. */
  readonly asked: PortalEvent[] = [];
  readonly batch = new PacketBatch(64);
  readonly address: Endpoint;
  network: { open(event: OpenEvent): void; send(event: SendEvent): void } | undefined;

  constructor(address: string, seed: number, settings: Partial<TunnelSettings> = {}) {
    super(new PacketPool(4096, 1900), { security: "blake2s", ...settings }, seed);
    this.address = parseEndpoint(address, 4725) as Endpoint;
  }

  /** Starts the portal anew, with nothing of before. */
  restart(seed: number, settings: Partial<TunnelSettings> = {}): void {
    this.portal = PortalEnd.start(this.pool, { security: "blake2s", ...settings }, seed);
  }

  /** Offers a packet as the host would. */
  offer(now: number, packet: Uint8Array): void {
    this.portal.handlePacket(now, slotWith(this.pool, packet));
  }

  protected override openSocket(_now: number, event: OpenEvent): void {
    this.network?.open(event);
  }

  protected override sendMessage(event: SendEvent): void {
    this.network?.send(event);
  }

  protected override handleOther(event: PortalEvent): void {
    this.asked.push(event);
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
    for (const end of [a, b])
      end.network = {
        open: (event) => this.#open(end, event),
        send: ({ socket, remote, message }) => this.#launch(end, socket, remote, message),
      };
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

  #land({ to, socket, bytes, remote }: Flight): void {
    to.receive(this.now, socket, bytes, remote, createEndpoint());
  }

  #settle(end: End): void {
    const { portal, pool, batch } = end;
    for (const path of portal.paths) {
      batch.clear();
      portal.pollDatagrams(this.now, path, batch);
      for (let i = 0; i < batch.count; i++) {
        const slot = batch.at(i);
        this.#launch(end, path.socket, path.remote, contentOf(pool, slot));
        pool.release(slot);
      }
    }
    batch.clear();
    portal.pollPackets(this.now, batch);
    for (let i = 0; i < batch.count; i++) {
      const slot = batch.at(i);
      end.delivered.push(contentOf(pool, slot));
      pool.release(slot);
    }
    end.handleEvents(this.now);
  }

  #open(end: End, { link, attempt }: OpenEvent): void {
    const isListener = end === this.b;
    const remote = isListener ? createEndpoint() : this.b.address;
    end.portal.handleOpened(this.now, link, attempt, isListener ? 0 : link, remote, createEndpoint());
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

/** Returns a pair connected by so many links. */
export function connectedPair(links = 1, more = {}): Pair {
  const pair = new Pair();
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen", more));
  for (let i = 0; i < links; i++) pair.a.portal.addLink(pair.now, linkSettings(i, "initiate", more));
  pair.run(200_000);
  return pair;
}
