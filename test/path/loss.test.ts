import { describe, expect, test } from "bun:test";
import * as loss from "../../src/path/loss.ts";
import { ReceivedPackets } from "../../src/path/received-packets.ts";
import { SENT, SentPackets } from "../../src/path/sent-packets.ts";
import { Ack } from "../../src/wire/ack.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const { SettledDatagrams } = loss;
const NOBODY: loss.DeliveryListener = { onDelivered() {}, onLost() {} };

/** The dissertation's way to tell losses; nothing is kept for retransmission. */
function applyAck(sent: SentPackets, ack: Ack, out: loss.SettledDatagrams): boolean {
  return loss.applyAck(0, sent, ack, "nack", NOBODY, out);
}

function applyTimeout(sent: SentPackets, before: number, out: loss.SettledDatagrams): void {
  loss.applyTimeout(0, sent, before, NOBODY, out);
}

function sentOf(count: number): SentPackets {
  const sent = new SentPackets();
  for (let i = 0; i < count; i++) sent.add(1_000 * i, 100, 100, -1);
  return sent;
}

/** `-1` stands for "none yet", as it travels. */
function ackOf(values: { ack: number; nack?: number; largest: number }, pairs: readonly number[] = []): Ack {
  const ack = Object.assign(new Ack(), {
    ack: values.ack >>> 0,
    nack: (values.nack ?? -1) >>> 0,
    largest: values.largest >>> 0,
    latest: values.largest >>> 0,
    ranges: pairs.length / 2,
  });
  ack.pairs.set(pairs);
  return ack;
}

const statesOf = (sent: SentPackets, count: number) => Array.from({ length: count }, (_, i) => sent.stateOf(i));
const { IN_FLIGHT, ACKED } = SENT;

describe("applyAck", () => {
  test("settles everything up to ACK as received", () => {
    const sent = sentOf(5);
    const out = new SettledDatagrams();
    expect(applyAck(sent, ackOf({ ack: 2, largest: 2 }, [0, 3]), out)).toBe(true);
    expect(out).toMatchObject({ ackedPackets: 3, ackedBytes: 300, largestAcked: 2, lostPackets: 0 });
    expect([sent.packetsInFlight, sent.bytesInFlight]).toEqual([2, 200]);
  });

  test("settles by ranges what came above a hole, and leaves the hole in flight", () => {
    const sent = sentOf(6);
    const out = new SettledDatagrams();
    applyAck(sent, ackOf({ ack: 0, largest: 4 }, [0, 2, 2, 1]), out);
    expect(statesOf(sent, 6).slice(1)).toEqual([IN_FLIGHT, IN_FLIGHT, ACKED, ACKED, IN_FLIGHT]);
    expect(out).toMatchObject({ ackedPackets: 3, largestAcked: 4, lostPackets: 0 });
  });

  test("takes for lost what was given up, and tells when the newest of it was sent", () => {
    const sent = sentOf(6);
    const out = new SettledDatagrams();
    applyAck(sent, ackOf({ ack: 5, nack: 3, largest: 5 }, [0, 2, 1, 1, 1, 1]), out);
    expect(out).toMatchObject({ ackedPackets: 4, lostPackets: 2, lostBytes: 200, lostSentAt: 3_000 });
    expect(sent.packetsInFlight).toBe(0);
  });

  test("settles nothing twice", () => {
    const sent = sentOf(6);
    const ack = ackOf({ ack: 0, largest: 4 }, [0, 2, 2, 1]);
    applyAck(sent, ack, new SettledDatagrams());
    const out = new SettledDatagrams();
    expect(applyAck(sent, ack, out)).toBe(true);
    expect(out).toMatchObject({ ackedPackets: 0, ackedBytes: 0, lostPackets: 0, largestAcked: -1 });
  });

  test("says nothing when nothing was received yet", () => {
    const sent = sentOf(3);
    const out = new SettledDatagrams();
    expect(applyAck(sent, ackOf({ ack: -1, largest: -1 }), out)).toBe(true);
    expect([out.ackedPackets, out.lostPackets, sent.packetsInFlight]).toEqual([0, 0, 3]);
  });

  test.each([
    ["a largest that was never sent", { ack: 1, largest: 5 }],
    ["an ACK beyond the largest", { ack: 3, largest: 2 }],
    ["a NACK beyond the ACK", { ack: 2, nack: 3, largest: 4 }],
    ["numbers far away", { ack: 2 ** 31, largest: 2 ** 31 }],
  ])("refuses %s and changes nothing", (_name, values) => {
    const sent = sentOf(5);
    const out = new SettledDatagrams();
    expect(applyAck(sent, ackOf(values), out)).toBe(false);
    expect(statesOf(sent, 5)).toEqual(new Array(5).fill(IN_FLIGHT));
    expect([out.ackedPackets, out.lostPackets, sent.bytesInFlight]).toEqual([0, 0, 500]);
  });

  test("survives ranges that run below zero", () => {
    const sent = sentOf(5);
    const out = new SettledDatagrams();
    applyAck(sent, ackOf({ ack: -1, largest: 4 }, [0, 0xffff, 0xffff, 0xffff]), out);
    expect([out.ackedPackets, sent.packetsInFlight]).toEqual([5, 0]);
  });

  test("keeps count when reports are lost: everything is settled as it was, in the end", () => {
    seeded((random) => {
      for (let round = 0; round < 40; round++) runTransfer(random, 600);
    })();
  });
});

describe("a first report that comes late", () => {
  test("does not take number 0 for lost, though nothing was given up", () => {
    const sent = sentOf(1);
    const received = new ReceivedPackets();
    received.accept(0, 0, 100);
    const ack = new Ack();
    for (let i = 0; i < 9; i++) received.report(ack, 0);
    ack.nack >>>= 0;
    const out = new SettledDatagrams();
    applyAck(sent, ack, out);
    expect([out.ackedPackets, out.lostPackets]).toEqual([1, 0]);
  });
});

describe("applyTimeout", () => {
  test("takes for lost what was sent up to then, and nothing later", () => {
    const sent = sentOf(5);
    const out = new SettledDatagrams();
    applyTimeout(sent, 2_000, out);
    expect(out).toMatchObject({ lostPackets: 3, lostBytes: 300, lostSentAt: 2_000, ackedPackets: 0 });
    expect(statesOf(sent, 5).slice(3)).toEqual([IN_FLIGHT, IN_FLIGHT]);
  });

  test("steps over what is settled already", () => {
    const sent = sentOf(5);
    applyAck(sent, ackOf({ ack: -1, largest: 2 }, [0, 1, 1, 1]), new SettledDatagrams());
    const out = new SettledDatagrams();
    applyTimeout(sent, 10_000, out);
    expect(out.lostPackets).toBe(3);
    expect([sent.packetsInFlight, sent.bytesInFlight]).toEqual([0, 0]);
  });
});

/** Sends over a lossy, reordering network, hears some of the reports, and compares what is known with what happened. */
class Transfer {
  readonly sent = new SentPackets();
  readonly received = new ReceivedPackets();
  readonly arrived = new Set<number>();
  readonly #random: SeededRandom;
  readonly #loss: number;
  readonly #reportLoss: number;
  readonly #out = new SettledDatagrams();
  readonly #ack = new Ack();
  #held = -1;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#loss = random.unit() * 0.05;
    this.#reportLoss = random.unit() * 0.3;
  }

  send(now: number): void {
    const bytes = 1 + this.#random.below(1400);
    const number = this.sent.add(now, bytes, bytes, -1);
    if (this.#random.chance(this.#loss)) return;
    if (this.#held < 0 && this.#random.chance(0.1)) this.#held = number;
    else this.#deliver(number, now);
    if (this.#held < 0 || this.#random.chance(0.7)) return;
    this.#deliver(this.#held, now);
    this.#held = -1;
  }

  hear(): void {
    const [sent, ack, out] = [this.sent, this.#ack, this.#out];
    this.received.report(ack, sent.next);
    Object.assign(ack, {
      ack: ack.ack >>> 0,
      nack: ack.nack >>> 0,
      largest: ack.largest >>> 0,
      latest: ack.latest >>> 0,
    });
    if (this.#random.chance(this.#reportLoss)) return;
    const before = sent.packetsInFlight;
    if (!applyAck(sent, ack, out)) throw new Error("an honest report was refused");
    expect(sent.packetsInFlight).toBe(before - out.ackedPackets - out.lostPackets);
    for (let number = 0; number < sent.next; number++) {
      if (sent.stateOf(number) === ACKED && !this.arrived.has(number)) throw new Error(`${number} never came`);
    }
  }

  #deliver(number: number, now: number): void {
    this.received.accept(number, now, 1);
    this.arrived.add(number);
  }
}

function runTransfer(random: SeededRandom, count: number): void {
  const transfer = new Transfer(random);
  for (let i = 0; i < count; i++) {
    transfer.send(i);
    if (random.chance(0.1)) transfer.hear();
    transfer.received.giveUp(i, 30);
  }
  for (let i = 0; i < 60; i++) {
    transfer.received.giveUp(count + 100 * i, 30);
    transfer.hear();
  }
  // What the receiver knows of is settled; only losses after the last arrival stay open.
  expect(transfer.sent.packetsInFlight).toBe(transfer.sent.next - 1 - transfer.received.largest);
}
