/** Simulated senders that are not TCP: constant-rate UDP with a record of what arrived when, and ICMP echo. */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../../../src/clock.ts";
import type { PacketPool, Slot } from "../../../src/memory/packet-pool.ts";
import {
  type Family,
  fillChecksum,
  ipHeader,
  PROTOCOL,
  setTrafficClass,
  writeIp,
} from "../../support/packets/slots.ts";
import type { Outlet, Station } from "../station.ts";

/** Payload of both: serial (4), number (4), time sent in microseconds (8), then nothing of meaning. */
const PAYLOAD_HEADER = 16;

export interface UdpOptions {
  readonly port: number;
  readonly peerPort: number;
  readonly family: Family;
  /** Bits of IP packets per second, and bytes of each. */
  readonly rate: number;
  readonly size: number;
  readonly startAt: Micros;
  readonly endAt: Micros;
  /** DSCP and ECN, the whole octet; IPv4 only. */
  readonly tos?: number;
}

/** Sends packets of one size at one interval. */
export class UdpSender implements Station {
  readonly port: number;
  next: Micros;
  sent = 0;
  readonly #outlet: Outlet;
  readonly #options: UdpOptions;

  constructor(outlet: Outlet, options: UdpOptions) {
    this.#outlet = outlet;
    this.#options = options;
    this.port = options.port;
    this.next = options.startAt;
  }

  handlePacket(_now: Micros, slot: Slot): void {
    this.#outlet.pool.release(slot);
  }

  handleTimeout(now: Micros): void {
    const { family, size, rate, startAt, endAt, port, peerPort } = this.#options;
    const { pool } = this.#outlet;
    while (this.next <= now) {
      const slot = this.#outlet.take();
      const at = writeIp(pool, slot, family, PROTOCOL.UDP, this.#outlet.side, size);
      pool.view.setUint16(at, port);
      pool.view.setUint16(at + 2, peerPort);
      pool.view.setUint16(at + 4, size - ipHeader(family));
      pool.view.setUint16(at + 6, 0);
      writePayload(pool, at + 8, this.#outlet.serial(now), this.sent, now);
      if (this.#options.tos !== undefined) setTrafficClass(pool, slot, this.#options.tos);
      if (family === 6) fillChecksum(pool, slot, family, PROTOCOL.UDP);
      this.sent++;
      this.#outlet.send(now, slot);
      this.next = startAt + (this.sent * size * 8 * MICROS_PER_SECOND) / rate;
      if (this.next >= endAt) this.next = NEVER;
    }
  }
}

/** Records every arrival: number, time sent, time it took. */
export class UdpReceiver implements Station {
  readonly port: number;
  readonly next = NEVER;
  readonly numbers: number[] = [];
  readonly sentAt: Micros[] = [];
  readonly delays: Micros[] = [];
  bytes = 0;
  /** Packets marked as having met congestion. */
  marked = 0;
  /** Packets with a number lower than one that came before, and packets that came again. */
  reordered = 0;
  duplicates = 0;
  #highest = -1;
  readonly #seen = new Set<number>();
  readonly #pool: PacketPool;

  constructor(outlet: Outlet, port: number) {
    this.#pool = outlet.pool;
    this.port = port;
  }

  handlePacket(now: Micros, slot: Slot): void {
    const pool = this.#pool;
    const start = pool.start[slot] as number;
    const at = start + ipHeader(((pool.bytes[start] as number) >> 4) as Family) + 8;
    const number = pool.view.getUint32(at + 4);
    if (((pool.bytes[start + 1] as number) & 3) === 3) this.marked++;
    this.bytes += pool.length[slot] as number;
    if (this.#seen.has(number)) this.duplicates++;
    else {
      this.#seen.add(number);
      this.numbers.push(number);
      this.sentAt.push(pool.view.getFloat64(at + 8));
      this.delays.push(now - pool.view.getFloat64(at + 8));
      if (number < this.#highest) this.reordered++;
      this.#highest = Math.max(this.#highest, number);
    }
    pool.release(slot);
  }

  handleTimeout(): void {}
}

/** ICMP echo at an interval; round-trip times of the answers in order of arrival. Its twin on the other side is `Echo`. */
export class Ping implements Station {
  readonly port: number;
  next: Micros;
  sent = 0;
  readonly rtts: Micros[] = [];
  readonly sentAt: Micros[] = [];
  readonly #outlet: Outlet;
  readonly #interval: Micros;
  readonly #size: number;

  /** @param size bytes of the IPv4 packet */
  constructor(outlet: Outlet, identifier: number, interval: Micros, startAt: Micros = 0, size = 84) {
    this.#outlet = outlet;
    this.port = identifier;
    this.#interval = interval;
    this.#size = size;
    this.next = startAt;
  }

  handlePacket(now: Micros, slot: Slot): void {
    const { pool } = this.#outlet;
    const sentAt = pool.view.getFloat64((pool.start[slot] as number) + 36);
    this.sentAt.push(sentAt);
    this.rtts.push(now - sentAt);
    pool.release(slot);
  }

  handleTimeout(now: Micros): void {
    const { pool } = this.#outlet;
    const slot = this.#outlet.take();
    const at = writeIp(pool, slot, 4, PROTOCOL.ICMP, this.#outlet.side, this.#size);
    pool.view.setUint32(at, 0x0800_0000);
    pool.view.setUint16(at + 4, this.port);
    pool.view.setUint16(at + 6, this.sent & 0xffff);
    writePayload(pool, at + 8, this.#outlet.serial(now), this.sent++, now);
    fillChecksum(pool, slot, 4, PROTOCOL.ICMP);
    this.next += this.#interval;
    this.#outlet.send(now, slot);
  }
}

/** Answers `Ping`. */
export class Echo implements Station {
  readonly port: number;
  readonly next = NEVER;
  readonly #outlet: Outlet;

  constructor(outlet: Outlet, identifier: number) {
    this.#outlet = outlet;
    this.port = identifier;
  }

  handlePacket(now: Micros, slot: Slot): void {
    const { pool } = this.#outlet;
    const answer = this.#outlet.take();
    const size = pool.length[slot] as number;
    const from = pool.start[slot] as number;
    const at = writeIp(pool, answer, 4, PROTOCOL.ICMP, this.#outlet.side, size);
    pool.bytes.copyWithin(at, from + 20, from + size);
    pool.bytes[at] = 0;
    pool.view.setUint32(at + 8, this.#outlet.serial(now));
    fillChecksum(pool, answer, 4, PROTOCOL.ICMP);
    pool.release(slot);
    this.#outlet.send(now, answer);
  }

  handleTimeout(): void {}
}

function writePayload(pool: PacketPool, at: number, serial: number, number: number, now: Micros): void {
  pool.view.setUint32(at, serial);
  pool.view.setUint32(at + 4, number);
  pool.view.setFloat64(at + 8, now);
}

/** Bytes a UDP packet needs at least. */
export const UDP_MINIMUM = 40 + 8 + PAYLOAD_HEADER;
