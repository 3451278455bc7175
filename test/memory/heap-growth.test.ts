/**
 * The data path must not keep memory: after a warm-up, packets through two portals leave the heap as it was. Figures are those of the
 * collector after a full collection, so they tell what is kept, not what is garbage.
 */
import { heapSize } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { Portal } from "../../src/portal/portal.ts";
import { udpPacket } from "../support/packets/build.ts";
import { linkSettings } from "../support/portal-end.ts";
import { SeededRandom } from "../support/random.ts";

const PACKETS = 100_000;
const BATCH = 50;
/** A turn is this long: 50 packets of 1 000 bytes each are 200 Mbit/s. */
const TURN = 2_000;
/** Kept bytes per 100 000 packets that count as none: structures reach their size late, code is compiled. */
const ALLOWED = 100_000;
/** Runs of a measurement: the warm-up, and three of which the median counts. */
const RUNS = 4;

/** Two portals on one pool whose datagrams cross at once: a slot is handed over, nothing is copied or allocated. */
class Loop {
  readonly pool = new PacketPool(2_048, 1_900);
  readonly #a: Portal;
  readonly #b: Portal;
  readonly #out = new PacketBatch(64);
  readonly #packet = udpPacket(1, 1_000);
  readonly #endpoint = parseEndpoint("192.0.2.1", 4725) as Endpoint;
  readonly #local = createEndpoint();
  #now = 1_000_000;
  delivered = 0;

  constructor() {
    const settings = { security: "none", sharedKey: new Uint8Array(32), mtu: 1_400 } as const;
    this.#a = new Portal(settings, this.pool, new SeededRandom(1).bytes);
    this.#b = new Portal(settings, this.pool, new SeededRandom(2).bytes);
    this.#b.addLink(this.#now, linkSettings(0, "listen"));
    this.#a.addLink(this.#now, linkSettings(0, "initiate"));
    for (let i = 0; i < 10; i++) this.turn(0);
  }

  run(packets: number): void {
    for (let sent = 0; sent < packets; sent += BATCH) this.turn(BATCH);
  }

  turn(packets: number): void {
    this.#now += TURN;
    for (let i = 0; i < packets; i++) this.#offer();
    this.#a.handleTimeout(this.#now);
    this.#b.handleTimeout(this.#now);
    this.#move(this.#a, this.#b);
    this.#move(this.#b, this.#a);
    this.#handleEvents(this.#a, this.#b);
    this.#handleEvents(this.#b, this.#a);
    this.#take(this.#a);
    this.#take(this.#b);
  }

  #offer(): void {
    const slot = this.pool.take();
    if (slot < 0) return;
    this.pool.bytes.set(this.#packet, this.pool.start[slot] as number);
    this.pool.length[slot] = this.#packet.length;
    this.#a.handlePacket(this.#now, slot);
  }

  #move(from: Portal, to: Portal): void {
    const out = this.#out;
    for (let p = 0; p < from.paths.length; p++) {
      out.clear();
      from.pollDatagrams(this.#now, from.paths[p] as Portal["paths"][number], out);
      for (let i = 0; i < out.count; i++) {
        const slot = this.#copied(out.at(i));
        if (slot >= 0) to.handleDatagram(this.#now, 0, slot, this.#endpoint, this.#local);
      }
    }
  }

  /** Does what the network does: the sender's slot is released, the bytes are in another one. */
  #copied(slot: number): number {
    const { pool } = this;
    const copy = pool.take();
    if (copy >= 0) {
      const from = pool.start[slot] as number;
      pool.start[copy] = pool.datagramOrigin(copy);
      pool.bytes.copyWithin(pool.start[copy] as number, from, from + (pool.length[slot] as number));
      pool.length[copy] = pool.length[slot] as number;
    }
    pool.release(slot);
    return copy;
  }

  #take(portal: Portal): void {
    const out = this.#out;
    do {
      out.clear();
      portal.pollPackets(this.#now, out);
      for (let i = 0; i < out.count; i++) this.pool.release(out.at(i));
      this.delivered += out.count;
    } while (out.isFull);
  }

  #handleEvents(from: Portal, to: Portal): void {
    for (let event = from.pollEvent(); event; event = from.pollEvent()) {
      if (event.type === "open") {
        const remote = from === this.#a ? this.#endpoint : createEndpoint();
        from.handleOpened(this.#now, event.link, event.attempt, 0, remote, this.#local);
      } else if (event.type === "send") {
        const slot = this.pool.take();
        this.pool.bytes.set(event.message, this.pool.start[slot] as number);
        this.pool.length[slot] = event.message.length;
        to.handleDatagram(this.#now, 0, slot, this.#endpoint, this.#local);
      }
    }
  }
}

function keptNow(): number {
  Bun.gc(true);
  Bun.gc(true);
  return heapSize();
}

/**
 * Returns the bytes kept by running `work`, after a warm-up of it: the median of three runs, for in one of them the engine may let go of what
 * an earlier test had.
 */
function growth(work: () => void): number {
  work();
  const grown = Array.from({ length: RUNS - 1 }, () => {
    const before = keptNow();
    work();
    return keptNow() - before;
  });
  return grown.sort((x, y) => x - y)[1] as number;
}

describe("two portals", () => {
  test(`keep no memory of ${PACKETS} packets`, () => {
    const loop = new Loop();
    const kept = growth(() => loop.run(PACKETS));
    // Congestion control holds back the first packets of each run; nine in ten come through.
    expect(loop.delivered).toBeGreaterThan(0.9 * RUNS * PACKETS);
    expect(kept).toBeLessThan(ALLOWED);
  });

  test("would be found out if they kept a small object for every tenth packet", () => {
    const loop = new Loop();
    const hoard: object[] = [];
    const kept = growth(() => {
      for (let sent = 0; sent < PACKETS; sent += BATCH) {
        loop.turn(BATCH);
        for (let i = 0; i < BATCH / 10; i++) hoard.push({ sent, i });
      }
    });
    expect(hoard).toHaveLength((RUNS * PACKETS) / 10);
    expect(kept).toBeGreaterThan(ALLOWED);
  });
});
