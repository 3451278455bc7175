import { describe, expect, test } from "bun:test";
import { NEVER } from "../../src/clock.ts";
import { Liveness } from "../../src/path/liveness.ts";
import { Rtt } from "../../src/path/rtt.ts";

const TIMEOUT = 5_000_000;

function steadyRtt(sample: number): Rtt {
  const rtt = new Rtt();
  for (let i = 0; i < 100; i++) rtt.update(0, sample, 0);
  return rtt;
}

const rtt = steadyRtt(20_000);
const up = () => new Liveness(0, "up", TIMEOUT);

/** A path that sent at 1 000 and hears nothing, just turned suspect. */
function suspect(): { liveness: Liveness; since: number } {
  const liveness = up();
  liveness.onSent(1_000);
  const since = Math.ceil(liveness.deadline(rtt));
  liveness.advance(since, rtt);
  return { liveness, since };
}

describe("Liveness", () => {
  test("waits for nothing while nothing was sent", () => {
    const liveness = up();
    expect(liveness.deadline(rtt)).toBe(NEVER);
    expect(liveness.advance(1e12, rtt)).toBe(false);
    expect(liveness.state).toBe("up");
  });

  test("suspects a path at its deadline, and not before", () => {
    const liveness = up();
    liveness.onSent(1_000);
    const at = liveness.deadline(rtt);
    expect(at).toBeGreaterThan(1_000 + 20_000);
    expect(at).toBeLessThan(1_000 + 100_000);
    expect(liveness.advance(at - 1, rtt)).toBe(false);
    expect(liveness.advance(at, rtt)).toBe(true);
    expect([liveness.state, liveness.since]).toEqual(["suspect", at]);
    expect(liveness.reason).toMatch(/^no answer for \d+ ms$/);
  });

  test("is more patient where round trips are long or uneven", () => {
    const waitOn = (measured: Rtt) => {
      const liveness = up();
      liveness.onSent(0);
      return liveness.deadline(measured);
    };
    const uneven = new Rtt();
    for (let i = 0; i < 100; i++) uneven.update(0, i % 2 === 0 ? 10_000 : 300_000, 0);
    expect(waitOn(steadyRtt(600_000))).toBeGreaterThan(900_000);
    expect(waitOn(uneven)).toBeGreaterThan(400_000);
    expect(waitOn(steadyRtt(100))).toBe(50_000);
  });

  test("counts from the oldest unanswered datagram, and anew from each answer", () => {
    const liveness = up();
    liveness.onSent(1_000);
    const first = liveness.deadline(rtt);
    liveness.onSent(30_000);
    expect(liveness.deadline(rtt)).toBe(first);
    liveness.onAnswered(40_000, true);
    expect(liveness.deadline(rtt)).toBe(first + 39_000);
    liveness.onAnswered(50_000, false);
    expect(liveness.deadline(rtt)).toBe(NEVER);
  });

  test("probes a suspect path at once, then at intervals that double up to half a second", () => {
    const { liveness, since } = suspect();
    const probes: number[] = [];
    for (let now = since; now < since + 4_000_000; now += 1_000)
      if (liveness.takeProbe(now, rtt)) probes.push(now - since);
    expect(probes[0]).toBe(0);
    const intervals = probes.slice(1).map((at, i) => at - (probes[i] as number));
    expect(intervals.every((interval, i) => i === 0 || interval >= (intervals[i - 1] as number))).toBe(true);
    expect(Math.max(...intervals)).toBeWithin(500_000, 501_001);
    expect(probes.length).toBeLessThan(15);
  });

  test("does not probe a path that is up", () => {
    expect(up().takeProbe(1e9, rtt)).toBe(false);
  });

  test("is up again with any answer", () => {
    const { liveness, since } = suspect();
    liveness.onAnswered(since + 300_000, false);
    expect([liveness.state, liveness.reason]).toEqual(["up", "answers again"]);
    expect([liveness.reviveAt, liveness.deadline(rtt)]).toEqual([NEVER, NEVER]);
  });

  test("takes a suspect path down after the timeout", () => {
    const { liveness, since } = suspect();
    expect(liveness.reviveAt).toBe(since + 600_000);
    expect(liveness.advance(since + TIMEOUT - 1, rtt)).toBe(false);
    expect(liveness.deadline(rtt)).toBeLessThanOrEqual(since + TIMEOUT);
    expect(liveness.advance(since + TIMEOUT, rtt)).toBe(true);
    expect([liveness.state, liveness.deadline(rtt)]).toEqual(["down", NEVER]);
  });

  test("suspects at once on a local fault, and says which", () => {
    const liveness = up();
    liveness.onFault(5, "interface down");
    expect([liveness.state, liveness.reason, liveness.takeProbe(5, rtt)]).toEqual(["suspect", "interface down", true]);
    expect(liveness.reviveAt).toBe(5 + 100_000);
  });

  test("waits for proof while exchanging, and is then up", () => {
    const liveness = new Liveness(0, "exchanging", TIMEOUT);
    liveness.onFault(1, "interface down");
    expect([liveness.state, liveness.deadline(rtt), liveness.advance(1e9, rtt)]).toEqual(["exchanging", NEVER, false]);
    liveness.onConfirmed(7);
    expect([liveness.state, liveness.since]).toEqual(["up", 7]);
  });

  test("keeps the first reason when it is closed", () => {
    const liveness = up();
    liveness.close(5, "peer shut down");
    liveness.close(6, "another");
    expect([liveness.state, liveness.reason, liveness.since]).toEqual(["down", "peer shut down", 5]);
  });

  test("stays down: an answer that comes later changes nothing", () => {
    const liveness = up();
    liveness.close(5, "removed");
    liveness.onAnswered(6, false);
    liveness.onConfirmed(7);
    expect(liveness.state).toBe("down");
  });
});
