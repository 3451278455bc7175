import { describe, expect, test } from "bun:test";
import { RECEIVE_WINDOW, ReceivedPackets } from "../../src/path/received-packets.ts";
import { Ack, MAX_RANGES } from "../../src/wire/ack.ts";
import type { SeededRandom } from "../support/random.ts";
import { seeded } from "../support/seed.ts";

const RTT = 10_000;
/** How long a hole is waited for. */
const WAIT = RTT / 2;

/** The numbers that the ranges of a report name. */
function namedBy(ack: Ack): Set<number> {
  const named = new Set<number>();
  let at = ack.largest;
  for (let i = 0; i < ack.ranges; i++) {
    at -= ack.pairs[2 * i] as number;
    const bottom = at - (ack.pairs[2 * i + 1] as number);
    while (at > bottom) named.add(at--);
  }
  return named;
}

function report(received: ReceivedPackets, now = 0, maxRanges = MAX_RANGES): Ack {
  const ack = new Ack();
  received.report(ack, now, maxRanges);
  return ack;
}

function receive(received: ReceivedPackets, numbers: readonly number[], now = 0): boolean[] {
  return numbers.map((number) => received.accept(number, now, 100));
}

describe("ReceivedPackets", () => {
  test("counts what is missing below the largest, until it comes", () => {
    const received = new ReceivedPackets();
    expect(received.missing).toBe(0);
    receive(received, [1, 2, 5]);
    expect(received.missing).toBe(3);
    receive(received, [3, 3, 0]);
    expect(received.missing).toBe(1);
  });

  test("raises ACK as numbers come in order, and keeps it at a hole", () => {
    const received = new ReceivedPackets();
    const acks = [0, 1, 2, 4, 5].map((number) => {
      received.accept(number, 0, 1);
      return received.ack;
    });
    expect(acks).toEqual([0, 1, 2, 2, 2]);
    expect([received.largest, received.nack, received.hasHole]).toEqual([5, -1, true]);
  });

  // Figure 3.6 (c) of the dissertation, whose numbers begin at 1: 4 is missing, and is given up when 6 has come.
  test("gives up a missing number as the dissertation's figure shows", () => {
    const received = new ReceivedPackets();
    receive(received, [0, 1, 2, 3, 5], 0);
    expect([received.ack, received.nack]).toEqual([3, -1]);
    expect(received.giveUp(RTT / 2 - 1, WAIT)).toBe(false);
    received.accept(6, RTT / 2, 1);
    expect(received.giveUp(RTT / 2, WAIT)).toBe(true);
    expect([received.ack, received.nack]).toEqual([6, 4]);
    received.accept(7, RTT, 1);
    expect([received.ack, received.nack, received.hasHole]).toEqual([7, 4, false]);
  });

  test("gives up half a round trip after something later came, and says when", () => {
    const received = new ReceivedPackets();
    expect(received.giveUpAt(WAIT)).toBe(Number.POSITIVE_INFINITY);
    receive(received, [0, 2], 1_000);
    expect(received.giveUpAt(WAIT)).toBe(6_000);
    expect(received.giveUp(5_999, WAIT)).toBe(false);
    expect(received.nack).toBe(-1);
    expect(received.giveUp(6_000, WAIT)).toBe(true);
    expect([received.ack, received.nack]).toEqual([2, 1]);
  });

  test("does not give up what was noticed missing only later", () => {
    const received = new ReceivedPackets();
    receive(received, [0, 2], 0);
    receive(received, [4], RTT / 2 - 1);
    received.giveUp(RTT / 2, WAIT);
    expect([received.ack, received.nack]).toEqual([2, 1]);
    expect(received.hasHole).toBe(true);
    expect(received.giveUp(RTT, WAIT)).toBe(true);
    expect([received.ack, received.nack]).toEqual([4, 3]);
  });

  test("gives nothing up when reordering retransmissions itself in time", () => {
    const received = new ReceivedPackets();
    receive(received, [0, 3, 2], 0);
    receive(received, [1], RTT / 4);
    expect([received.ack, received.nack, received.hasHole]).toEqual([3, -1, false]);
    expect(received.giveUp(10 * RTT, WAIT)).toBe(false);
  });

  test("takes what comes after it was given up, once", () => {
    const received = new ReceivedPackets();
    receive(received, [0, 2], 0);
    received.giveUp(RTT, WAIT);
    expect(receive(received, [1, 1])).toEqual([true, false]);
    expect(namedBy(report(received))).toEqual(new Set([0, 1, 2]));
  });

  test("refuses repeats and what is older than its window", () => {
    const received = new ReceivedPackets();
    const far = 100_000;
    expect(receive(received, [0, 0, far, far])).toEqual([true, false, true, false]);
    expect(receive(received, [far - RECEIVE_WINDOW, far - RECEIVE_WINDOW / 2])).toEqual([false, true]);
    expect([received.packets, received.bytes]).toEqual([3, 300]);
  });

  test("agrees with a set about what is new, over jumps, loss, reordering and duplication", () => {
    seeded((random) => {
      const received = new ReceivedPackets();
      const seen = new Set<number>();
      for (let i = 0; i < 20_000; i++) {
        const number = drawNumber(random, received.largest);
        const isTooOld = number <= received.largest - RECEIVE_WINDOW + 32;
        const isNew = !seen.has(number) && !isTooOld;
        if (received.accept(number, i, 1) !== isNew) throw new Error(`step ${i}: ${number}`);
        if (isNew) seen.add(number);
      }
    })();
  });

  test("names in ranges exactly what it received, as far as there is room", () => {
    seeded((random) => {
      for (let round = 0; round < 60; round++) {
        checkRanges(random);
      }
    })();
  });

  test("describes each number in eight reports, then no more", () => {
    const received = new ReceivedPackets();
    receive(
      received,
      Array.from({ length: 70 }, (_, i) => i),
    );
    for (let i = 0; i < 8; i++) expect(namedBy(report(received)).size).toBe(70);
    expect(report(received).ranges).toBe(0);
    received.accept(70, 0, 1);
    expect(namedBy(report(received))).toEqual(new Set([70]));
  });

  test("begins at the largest and gives the nearest ranges when there is no room for all", () => {
    const received = new ReceivedPackets();
    receive(
      received,
      Array.from({ length: 40 }, (_, i) => 3 * i),
    );
    const ack = report(received, 0, 5);
    expect(ack.ranges).toBe(5);
    expect(ack.pairs[0]).toBe(0);
    expect(namedBy(ack)).toEqual(new Set([117, 114, 111, 108, 105]));
  });

  test("counts everything and tells what came last, and how long ago", () => {
    const received = new ReceivedPackets();
    received.accept(0, 5_000, 100);
    received.accept(2, 2 ** 32 + 7, 50);
    received.accept(1, 2 ** 32 + 9, 50);
    const ack = report(received, 2 ** 32 + 107);
    expect(ack).toMatchObject({ ack: 2, largest: 2, latest: 1, receivedAt: 9, delay: 98, packets: 3, bytes: 200 });
  });

  test("never lets ACK fall, nor pass the largest, nor NACK pass ACK", () => {
    seeded((random) => {
      const received = new ReceivedPackets();
      for (let i = 0, now = 0; i < 20_000; i++) {
        const before = received.ack;
        now += random.below(2_000);
        received.accept(drawNumber(random, received.largest), now, 1);
        if (random.chance(0.2)) received.giveUp(now, WAIT);
        const { ack, nack, largest, hasHole } = received;
        const isSane = ack >= before && ack <= largest && nack <= ack && hasHole === ack < largest;
        if (!isSane) throw new Error(`step ${i}: ack ${ack} after ${before}, nack ${nack}, largest ${largest}`);
      }
    })();
  });

  test("keeps ACK within its window when numbers jump", () => {
    const received = new ReceivedPackets();
    receive(received, [0, 50_000]);
    expect(received.ack).toBeGreaterThan(50_000 - RECEIVE_WINDOW);
    received.giveUp(RTT, WAIT);
    expect([received.ack, received.nack]).toEqual([50_000, 49_999]);
  });

  test("works the same with numbers beyond 2^32 and 2^36", () => {
    for (const base of [2 ** 32 - 3, 2 ** 36 - 3]) {
      const received = new ReceivedPackets();
      receive(received, [base, base + 1, base + 2, base + 5, base + 4]);
      expect(namedBy(report(received))).toEqual(new Set([base, base + 1, base + 2, base + 4, base + 5]));
      expect(receive(received, [base + 4, base + 3])).toEqual([false, true]);
    }
  });
});

/** The next number, a late one, a repeat, a small gap or now and then a jump. */
function drawNumber(random: SeededRandom, largest: number): number {
  const kind = random.below(100);
  if (kind < 60) return largest + 1;
  if (kind < 90) return Math.max(0, largest - random.below(200));
  if (kind < 92) return Math.max(0, largest - random.below(2 * RECEIVE_WINDOW));
  if (kind < 99) return largest + 1 + random.below(70);
  return largest + random.below(3 * RECEIVE_WINDOW) + 1;
}

/** Receives a shuffled, lossy run of numbers and compares the ranges with it. */
function checkRanges(random: SeededRandom): void {
  const received = new ReceivedPackets();
  const loss = random.unit() * 0.1;
  const numbers = Array.from({ length: 250 }, (_, i) => i).filter(() => !random.chance(loss));
  const order = numbers.map((number) => ({ number, key: random.unit() })).sort((x, y) => x.key - y.key);
  for (const { number } of order) received.accept(number, 0, 1);
  // When nothing overtook for a while, from the largest downwards; before, what came last.
  const last = new Set(order.slice(-64).map(({ number }) => number));
  expect(namedBy(report(received))).toEqual(last);
  const ack = report(received, 2_000_000);
  const named = namedBy(ack);
  if (ack.ranges < MAX_RANGES) expect(named).toEqual(new Set(numbers));
  else expect(named.isSubsetOf(new Set(numbers))).toBe(true);
}
