import { describe, expect, test } from "bun:test";
import { PacketBatch } from "../../../src/memory/packet-batch.ts";
import { PACKET_FLAG, PacketPool, type Slot } from "../../../src/memory/packet-pool.ts";
import { AckGate } from "../../../src/portal/receiving/ack-gate.ts";
import { ParsedHeader } from "../../../src/wire/ip.ts";
import { type Family, Segment, TCP_FLAG, writeSegment } from "../../support/packets/slots.ts";

const MSS = 1_000;
const SLOTS = 4_096;

/** A host behind the gate that sends to a far one, and what the far one answers. */
class Bench {
  readonly pool = new PacketPool(SLOTS, 1_500);
  readonly gate = new AckGate(this.pool, 7);
  readonly rounds: number[] = [];
  isSaturated = false;
  now = 0;
  #sent = 1;
  readonly #family: Family;
  readonly #parsed = new ParsedHeader();
  /** In flight, bytes, from which on the paths count as full. */
  full = Number.POSITIVE_INFINITY;
  /** Sequences of what the host sent again. */
  readonly again: number[] = [];
  readonly flows = {
    needsAckGate: true,
    isSaturated: (_bucket: number, flight: number) => this.isSaturated || flight > this.full,
    onRound: (_bucket: number, length: number) => void this.rounds.push(length),
  };

  constructor(family: Family = 4) {
    this.#family = family;
    this.#outbound(0, TCP_FLAG.SYN, 0);
  }

  /** The host sends `segments` full segments. */
  send(segments: number): void {
    for (let i = 0; i < segments; i++) {
      this.#outbound(this.#sent, TCP_FLAG.ACK, MSS);
      this.#sent += MSS;
    }
  }

  /** The host sends segment `n` once more. */
  sendAgain(n: number): void {
    this.#outbound(1 + n * MSS, TCP_FLAG.ACK, MSS);
  }

  /** The far host acknowledges everything up to segment `segments`; returns what the host hears now. */
  ack(segments: number, flags: number = TCP_FLAG.ACK): number[] {
    const batch = new PacketBatch(8);
    batch.push(this.#packet(1, 1, flags, 0, 1 + segments * MSS));
    this.gate.filter(this.now, batch, 0, this.#parsed, this.flows);
    return this.#heard(batch);
  }

  /** What the gate gives up by itself now. */
  due(): number[] {
    const batch = new PacketBatch(8);
    this.gate.pollDue(this.now, batch);
    return this.#heard(batch);
  }

  /** A sender in slow start, for `rounds` of 40 ms: how many acknowledgements it hears in each of its rounds. */
  slowStart(rounds: number): number[] {
    let flight = 10;
    let acked = 0;
    this.send(flight);
    return Array.from({ length: rounds }, () => {
      let heard = 0;
      const end = acked + flight;
      for (let segment = acked + 2; segment <= end; segment += 2, this.now += 80_000 / flight) {
        for (const upTo of [...this.ack(segment), ...this.due()]) {
          heard++;
          this.send(2 * (upTo - acked));
          acked = upTo;
        }
      }
      flight = 2 * flight;
      return heard;
    });
  }

  #outbound(sequence: number, flags: number, payload: number): void {
    const slot = this.#packet(0, sequence, flags, payload, 1);
    this.#parsed.parse(this.pool.view, this.pool.start[slot] as number, this.pool.length[slot] as number);
    this.gate.onOutbound(this.now, slot, this.#parsed);
    if (((this.pool.flags[slot] as number) & PACKET_FLAG.AGAIN) !== 0) this.again.push(sequence);
    this.pool.release(slot);
  }

  #packet(from: 0 | 1, sequence: number, flags: number, payload: number, acknowledgement: number): Slot {
    const slot = this.pool.take();
    const segment = new Segment();
    segment.sourcePort = from === 0 ? 1_234 : 80;
    segment.destinationPort = from === 0 ? 80 : 1_234;
    Object.assign(segment, { sequence, flags, payload, acknowledgement });
    writeSegment(this.pool, slot, this.#family, from, segment);
    return slot;
  }

  #heard(batch: PacketBatch): number[] {
    return Array.from({ length: batch.count }, (_, i) => {
      const slot = batch.at(i);
      const at = (this.pool.start[slot] as number) + (this.#family === 4 ? 20 : 40);
      const segments = (this.pool.view.getUint32(at + 8) - 1) / MSS;
      this.pool.release(slot);
      return segments;
    });
  }
}

describe("AckGate", () => {
  for (const family of [4, 6] as const) {
    test(`lets a sender in slow start hear at most eight acknowledgements a round, and all it needs (IPv${family})`, () => {
      const bench = new Bench(family);
      const heard = bench.slowStart(6);
      expect(Math.max(...heard)).toBeLessThanOrEqual(8);
      expect(Math.min(...heard)).toBeGreaterThan(0);
      expect(bench.gate.thinned).toBeGreaterThan(200);
    });
  }

  test("passes all when the paths are full, when it is not needed, and while little is in flight", () => {
    const full = new Bench();
    full.isSaturated = true;
    full.send(100);
    const idle = new Bench();
    idle.flows.needsAckGate = false;
    idle.send(100);
    const small = new Bench();
    small.send(14);
    for (const bench of [full, idle, small]) expect([bench.ack(2), bench.ack(4)]).toEqual([[2], [4]]);
  });

  test("passes what acknowledges everything at once, and drops what it held", () => {
    const bench = new Bench();
    bench.send(60);
    expect([bench.ack(2), bench.ack(4), bench.ack(60)]).toEqual([[], [], [60]]);
    expect([bench.due(), bench.gate.thinned, bench.pool.free]).toEqual([[], 2, SLOTS]);
  });

  test("holds an acknowledgement for a part of a round only", () => {
    const bench = new Bench();
    bench.send(60);
    bench.ack(6);
    expect(bench.gate.deadline()).toBe(2_000);
    bench.now = 2_000;
    expect([bench.due(), bench.gate.deadline()]).toEqual([[6], Number.POSITIVE_INFINITY]);
  });

  test("lets a sender alone that does not grow", () => {
    const bench = new Bench();
    bench.send(60);
    let acked = 0;
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 3; i++) {
        acked += 20;
        bench.ack(acked);
        bench.send(20);
      }
    }
    expect([bench.ack(acked + 2), bench.ack(acked + 4)]).toEqual([[acked + 2], [acked + 4]]);
  });

  test("passes all when what an acknowledgement makes the host send would be too much", () => {
    const bench = new Bench();
    bench.full = 75 * MSS;
    bench.send(60);
    // 60 in flight and 16 more: the window this one leads to.
    expect([bench.ack(14), bench.ack(16), bench.ack(18)]).toEqual([[], [16], [18]]);
  });

  test("flags what the host sends again, and nothing else", () => {
    const bench = new Bench();
    bench.send(3);
    bench.sendAgain(1);
    bench.send(1);
    expect(bench.again).toEqual([1 + MSS]);
  });

  test("never holds data, the end of a connection, or what it knows nothing of", () => {
    const bench = new Bench();
    bench.send(60);
    expect(bench.ack(2, TCP_FLAG.ACK | TCP_FLAG.FIN)).toEqual([2]);
    expect(bench.ack(2, TCP_FLAG.ACK | TCP_FLAG.PSH)).toEqual([2]);
    // An acknowledgement of what was never sent is for the host to judge.
    expect(bench.ack(500)).toEqual([500]);
  });

  test("tells how long packets take from the queue to their acknowledgement, also when nothing is held any more", () => {
    const bench = new Bench();
    bench.isSaturated = true;
    bench.send(20);
    bench.now = 50_000;
    bench.ack(20);
    bench.send(20);
    bench.now = 120_000;
    bench.ack(40);
    bench.send(20);
    bench.now = 150_000;
    bench.ack(60);
    expect(bench.rounds.slice(-2)).toEqual([70_000, 30_000]);
  });
});
