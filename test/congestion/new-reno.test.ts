import { describe, expect, test } from "bun:test";
import { NewReno } from "../../src/congestion/new-reno.ts";
import { ackSample } from "../support/ack-sample.ts";

const DATAGRAM = 1_000;

/** Acknowledges one datagram of a full window, sent at `sentAt`. */
function acknowledge(reno: NewReno, sentAt: number, count = 1): void {
  for (let i = 0; i < count; i++) reno.onAcked(ackSample({ bytes: DATAGRAM, sentAt, priorInFlight: reno.window }));
}

/** In congestion avoidance with a window of 20 datagrams; the loss was at 1 000. */
function inAvoidance(): NewReno {
  const reno = new NewReno(DATAGRAM);
  acknowledge(reno, 500, 30);
  reno.onLost(1_000, DATAGRAM, 1, 900);
  return reno;
}

describe("NewReno in slow start", () => {
  test("begins with ten datagrams and without pacing", () => {
    const reno = new NewReno(DATAGRAM);
    expect([reno.window, reno.isSlowStart, reno.pacingRate]).toEqual([10_000, true, Number.POSITIVE_INFINITY]);
  });

  test("doubles the window with every window acknowledged", () => {
    const reno = new NewReno(DATAGRAM);
    acknowledge(reno, 1, 10);
    expect(reno.window).toBe(20_000);
    acknowledge(reno, 1, 20);
    expect(reno.window).toBe(40_000);
  });

  test("paces at two windows a round trip", () => {
    const reno = new NewReno(DATAGRAM);
    acknowledge(reno, 1, 10);
    expect(reno.pacingRate).toBeCloseTo((2 * 20_000) / 0.05, 3);
  });

  test("learns nothing from a window that was not used", () => {
    const reno = new NewReno(DATAGRAM);
    for (let i = 0; i < 20; i++) reno.onAcked(ackSample({ bytes: DATAGRAM, sentAt: 1, priorInFlight: 4_999 }));
    expect(reno.window).toBe(10_000);
  });
});

describe("NewReno at a loss", () => {
  test("halves the window and leaves slow start", () => {
    const reno = inAvoidance();
    expect([reno.window, reno.isSlowStart]).toEqual([20_000, false]);
  });

  test("halves once for all that was sent before the halving", () => {
    const reno = inAvoidance();
    for (const sentAt of [100, 950, 1_000]) reno.onLost(2_000, DATAGRAM, 1, sentAt);
    expect(reno.window).toBe(20_000);
    reno.onLost(3_000, DATAGRAM, 1, 1_001);
    expect(reno.window).toBe(10_000);
  });

  test("does not grow with what was sent before the halving", () => {
    const reno = inAvoidance();
    acknowledge(reno, 1_000, 50);
    expect(reno.window).toBe(20_000);
  });

  test("keeps at least two datagrams", () => {
    const reno = new NewReno(DATAGRAM);
    for (let i = 1; i < 20; i++) reno.onLost(i, DATAGRAM, 1, i);
    expect(reno.window).toBe(2_000);
  });
});

describe("NewReno in congestion avoidance", () => {
  test("adds one datagram for every window acknowledged", () => {
    const reno = inAvoidance();
    acknowledge(reno, 2_000, 20);
    expect(reno.window).toBeWithin(20_900, 21_001);
    acknowledge(reno, 2_000, 210);
    expect(reno.window).toBeWithin(29_000, 31_000);
  });

  test("paces at a little more than a window a round trip", () => {
    expect(inAvoidance().pacingRate).toBeCloseTo((1.25 * 20_000) / 0.05, 3);
  });

  test("goes back to at most ten datagrams after a long silence", () => {
    const reno = inAvoidance();
    reno.onIdleRestart();
    expect(reno.window).toBe(10_000);
    for (let i = 2; i < 20; i++) reno.onLost(i * 1_000, DATAGRAM, 1, i * 1_000);
    reno.onIdleRestart();
    expect(reno.window).toBe(2_000);
  });
});
