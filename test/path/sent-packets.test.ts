import { describe, expect, test } from "bun:test";
import { SENT, SentPackets } from "../../src/path/sent-packets.ts";

const add = (sent: SentPackets, now: number, bytes: number) => sent.add(now, bytes, Math.max(bytes, 60), -1);

/** Sends until no more fits; returns how many that were. */
function fill(sent: SentPackets): number {
  while (!sent.isFull) add(sent, 0, 1);
  return sent.next;
}

describe("SentPackets", () => {
  test("numbers datagrams from 0 and counts what asks for an answer", () => {
    const sent = new SentPackets();
    expect([add(sent, 1, 100), add(sent, 2, 0), add(sent, 3, 50)]).toEqual([0, 1, 2]);
    expect([sent.next, sent.packetsInFlight, sent.bytesInFlight]).toEqual([3, 2, 150]);
    expect([0, 1, 2].map((number) => sent.stateOf(number))).toEqual([SENT.IN_FLIGHT, SENT.EMPTY, SENT.IN_FLIGHT]);
  });

  test("keeps every record while it grows", () => {
    const sent = new SentPackets();
    const count = 5_000;
    for (let i = 0; i < count; i++) add(sent, 10 * i, 1 + (i % 1400));
    for (let i = 0; i < count; i++) {
      expect(sent.stateOf(i)).toBe(SENT.IN_FLIGHT);
      expect([sent.bytesOf(i), sent.sentAt(i)]).toEqual([1 + (i % 1400), 10 * i]);
    }
    expect(sent.packetsInFlight).toBe(count);
  });

  test("grows in the middle of the ring without mixing up records", () => {
    const sent = new SentPackets();
    for (let i = 0; i < 900; i++) add(sent, i, 10);
    for (let i = 0; i < 800; i++) sent.settle(i, SENT.ACKED);
    sent.trim();
    for (let i = 900; i < 4_000; i++) add(sent, i, 10);
    for (let i = 800; i < 4_000; i++) expect([sent.stateOf(i), sent.sentAt(i)]).toEqual([SENT.IN_FLIGHT, i]);
    expect(sent.bytesInFlight).toBe(32_000);
  });

  test("takes a settled datagram out of flight", () => {
    const sent = new SentPackets();
    for (let i = 0; i < 3; i++) add(sent, i, 100);
    sent.settle(1, SENT.LOST);
    sent.settle(0, SENT.ACKED);
    sent.trim();
    expect([sent.packetsInFlight, sent.bytesInFlight, sent.stateOf(2)]).toEqual([1, 100, SENT.IN_FLIGHT]);
  });

  test("knows nothing of numbers not sent", () => {
    const sent = new SentPackets();
    add(sent, 0, 100);
    expect([sent.stateOf(-1), sent.stateOf(1), sent.stateOf(1024)]).toEqual([SENT.EMPTY, SENT.EMPTY, SENT.EMPTY]);
  });

  test("says when it is full, and takes more once the oldest are settled", () => {
    const sent = new SentPackets();
    let count = 0;
    while (!sent.isFull && count < 1_000_000) {
      add(sent, 0, 1);
      count++;
    }
    expect(count).toBe(131_072);
    for (let i = 0; i < 10; i++) sent.settle(i, SENT.ACKED);
    sent.trim();
    expect(sent.isFull).toBe(false);
    for (let i = 0; i < 10; i++) add(sent, 1, 1);
    expect([sent.isFull, sent.packetsInFlight]).toEqual([true, 131_072]);
  });

  test("leaves nothing behind over a long steady life", () => {
    const sent = new SentPackets();
    for (let i = 0; i < 50_000; i++) {
      add(sent, i, i % 4 === 0 ? 0 : 100);
      if (i >= 100 && sent.stateOf(i - 100) === SENT.IN_FLIGHT) sent.settle(i - 100, SENT.ACKED);
      sent.trim();
    }
    expect([sent.packetsInFlight, sent.bytesInFlight]).toEqual([75, 7_500]);
    expect(sent.next - sent.oldest).toBeLessThanOrEqual(2_048);
  });

  test("forgets nothing in flight for datagrams that ask for no answer, though it is full", () => {
    const sent = new SentPackets();
    const count = fill(sent);
    for (let i = 0; i < 100; i++) add(sent, 1, 0);
    for (let i = 0; i < count; i++) if (sent.stateOf(i) === SENT.IN_FLIGHT) sent.settle(i, SENT.ACKED);
    sent.trim();
    expect([sent.packetsInFlight, sent.bytesInFlight]).toEqual([0, 0]);
    expect(sent.isFull).toBe(false);
  });
});
