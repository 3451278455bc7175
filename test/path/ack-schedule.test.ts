import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { AckSchedule, LONGEST_ACK_DELAY } from "../../src/path/ack-schedule.ts";

const RTT = 40_000;

function noted(...times: readonly number[]): AckSchedule {
  const acks = new AckSchedule();
  for (const time of times) acks.note(time, false);
  return acks;
}

describe("AckSchedule", () => {
  test("has nothing to say before anything came, and after it was said", () => {
    expect(noted().dueAt(RTT)).toBe(NEVER);
    const acks = noted(1_000, 2_000);
    acks.sent(3_000);
    expect(acks.dueAt(RTT)).toBe(NEVER);
  });

  test("lets a single datagram wait a quarter of a round trip for company, and never long", () => {
    expect(noted(5_000).dueAt(RTT)).toBe(15_000);
    expect(noted(5_000).dueAt(10_000_000)).toBe(5_000 + LONGEST_ACK_DELAY);
    expect(noted(5_000).dueAt(0)).toBe(6_000);
  });

  test("acknowledges the second datagram after a pause at once", () => {
    expect(noted(5_000, 5_100).dueAt(RTT)).toBeLessThanOrEqual(5_100);
  });

  test("then keeps a distance of a quarter of a round trip", () => {
    const acks = noted();
    acks.sent(5_000);
    acks.note(6_000, false);
    acks.note(6_100, false);
    expect(acks.dueAt(RTT)).toBe(15_000);
  });

  test("does not wait for an urgent datagram", () => {
    const acks = noted();
    acks.sent(5_000);
    acks.note(6_000, true);
    expect(acks.dueAt(RTT)).toBeLessThanOrEqual(6_000);
    acks.sent(6_000);
    acks.note(6_500, false);
    expect(acks.dueAt(RTT)).toBeGreaterThan(6_500);
  });

  test("does not wait for its time when many have come", () => {
    const acks = noted();
    acks.sent(5_000);
    for (let i = 0; i < 15; i++) acks.note(5_100, false);
    expect(acks.dueAt(RTT)).toBe(15_000);
    acks.note(5_200, false);
    expect(acks.dueAt(RTT)).toBe(6_000);
    for (let i = 16; i < 63; i++) acks.note(5_300, false);
    expect(acks.dueAt(RTT)).toBe(6_000);
    acks.note(6_000, false);
    expect(acks.dueAt(RTT)).toBeLessThanOrEqual(6_000);
  });

  test("is to be said on a faster path too, once, whichever of the two says it first", () => {
    const acks = noted();
    acks.note(0, true);
    expect(acks.isRelayWanted(0, RTT)).toBe(true);
    acks.onRelayed(0, RTT);
    expect(acks.isRelayWanted(0, RTT)).toBe(false);
    acks.sent(0);
    expect(acks.isRelayWanted(0, RTT)).toBe(false);
    acks.note(1_000, true);
    acks.sent(1_000);
    expect(acks.isRelayWanted(1_000, RTT)).toBe(true);
    acks.onRelayed(1_000, RTT);
    expect(acks.isRelayWanted(1_000, RTT)).toBe(false);
  });

  test("hurries even when nothing came", () => {
    const acks = noted();
    acks.hurry();
    expect(acks.dueAt(RTT)).toBeLessThanOrEqual(0);
  });

  test("never lets a datagram wait longer than the sender counts on", () => {
    for (const rtt of [0, 1_000, 50_000, 1_000_000]) {
      for (let last = 0; last < 100_000; last += 9_000) {
        const acks = noted();
        acks.sent(last);
        acks.note(last + 500, false);
        acks.note(last + 600, false);
        expect(acks.dueAt(rtt)).toBeLessThanOrEqual(last + 500 + LONGEST_ACK_DELAY);
      }
    }
  });
});
