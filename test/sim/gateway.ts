/** The gateway stands between the hosts of a side and the links: a portal, or nothing. */
import type { Micros } from "../../src/clock.ts";
import { NEVER } from "../../src/clock.ts";
import type { PacketBatch } from "../../src/memory/packet-batch.ts";
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";
import { Ring } from "../../src/memory/ring.ts";

/** The world's view of one end; the calls are those of the core, with the world's link numbers. */
export interface Gateway {
  readonly pool: PacketPool;
  /** Bytes that the transport adds to a datagram, up to the IP header. */
  readonly encapsulation: number;
  /** Takes over the slot, an IP packet from the host. */
  handlePacket(now: Micros, slot: Slot): void;
  /** Takes over the slot, a datagram that came over `link`. */
  handleDatagram(now: Micros, link: number, slot: Slot): void;
  handleTimeout(now: Micros): void;
  /** Appends datagrams to send over `link`; the caller releases the slots. @returns datagrams appended */
  pollDatagrams(now: Micros, link: number, out: PacketBatch): number;
  /** Appends packets for the host; the caller releases the slots. @returns packets appended */
  pollPackets(now: Micros, out: PacketBatch): number;
  pollTimeout(): Micros;
  /** Throws on a broken invariant of its own. */
  check(now: Micros): void;
}

/** No portal at all: packets go on the links as they are, to each in turn. With one link it is a plain wire. */
export class PassThrough implements Gateway {
  readonly pool: PacketPool;
  readonly encapsulation = 0;
  readonly #toLinks: Ring[];
  readonly #toHost = new Ring(4096);
  #turn = 0;

  constructor(pool: PacketPool, links: number) {
    this.pool = pool;
    this.#toLinks = Array.from({ length: links }, () => new Ring(4096));
  }

  handlePacket(_now: Micros, slot: Slot): void {
    const ring = this.#toLinks[this.#turn] as Ring;
    this.#turn = (this.#turn + 1) % this.#toLinks.length;
    if (!ring.push(slot)) this.pool.release(slot);
  }

  handleDatagram(_now: Micros, _link: number, slot: Slot): void {
    if (!this.#toHost.push(slot)) this.pool.release(slot);
  }

  handleTimeout(): void {}

  pollDatagrams(_now: Micros, link: number, out: PacketBatch): number {
    return drain(this.#toLinks[link] as Ring, out);
  }

  pollPackets(_now: Micros, out: PacketBatch): number {
    return drain(this.#toHost, out);
  }

  pollTimeout(): Micros {
    return NEVER;
  }

  check(): void {}
}

function drain(ring: Ring, out: PacketBatch): number {
  let n = 0;
  for (; !out.isFull && ring.length > 0; n++) out.push(ring.shift());
  return n;
}
