import { describe, expect, test } from "bun:test";
import type { AckSample } from "../../src/congestion/controller.ts";
import { type Round, Rounds } from "../../src/congestion/rounds.ts";

const BYTES = 1_000;
const LENGTH = 20_000;

/** What is heard of datagram `number`, sent every 1 ms, that arrived at `at` after `received` others. */
function heard(number: number, at: number, received: number): AckSample {
  return {
    now: at + 5_000,
    bytes: BYTES,
    packets: 1,
    rtt: 0,
    smoothedRtt: 0,
    minRtt: 0,
    sentAt: 1_000 * number,
    priorInFlight: 0,
    inFlight: 0,
    largest: number,
    latest: number,
    receivedBytes: (received + 1) * BYTES,
    receivedAt: at,
    ackDelay: 0,
    sentBytes: (number + 1) * BYTES,
    delay: at - 1_000 * number,
    jitter: 0,
  };
}

/** Sends 100 datagrams 1 ms apart and hears of those not lost, each `stretch` times later than it began. */
function run(rounds: Rounds, stretch: number, isLost: (number: number) => boolean): Round[] {
  const judged: Round[] = [];
  for (let number = 0; number < 100; number++) rounds.onSent(1_000 * number, number, LENGTH, 1, 1e6);
  let received = 0;
  for (let number = 0; number < 100; number++) {
    if (isLost(number)) {
      rounds.onLost(1);
      continue;
    }
    const round = rounds.onReport(heard(number, 10_000 + stretch * 1_000 * number, received++));
    if (round) judged.push(round);
  }
  return judged;
}

describe("Rounds", () => {
  test("measure the same rate at both ends of a path that is not full", () => {
    const judged = run(new Rounds(), 1, () => false);
    expect(judged.length).toBeGreaterThanOrEqual(3);
    for (const round of judged) {
      expect(round.sent).toBeCloseTo(1e6);
      expect(round.stretched).toBeCloseTo(1e6);
      expect(round.arrived).toBeCloseTo(1e6);
      expect(round.duration).toBe(LENGTH);
      expect(round.delay).toBeCloseTo(10_000);
    }
  });

  test("see how much a path stretches what is sent, and the delay that grows", () => {
    const judged = run(new Rounds(), 2, () => false);
    for (const round of judged) {
      expect(round.sent).toBeCloseTo(1e6);
      expect(round.stretched).toBeCloseTo(5e5);
    }
    const delays = judged.map((round) => round.delay);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  });

  test("tell losses from a slower path", () => {
    const judged = run(new Rounds(), 1, (number) => number % 4 === 3);
    const sum = (pick: (round: Round) => number): number => judged.reduce((all, round) => all + pick(round), 0);
    expect(sum((round) => round.stretched) / judged.length).toBeCloseTo(1e6);
    expect(sum((round) => round.arrived) / judged.length).toBeLessThan(8.5e5);
    expect(sum((round) => round.lost) / sum((round) => round.datagrams)).toBeGreaterThan(0.2);
  });

  test("take back a loss that was none", () => {
    const rounds = new Rounds();
    rounds.onSent(0, 0, LENGTH, 1, 1e6);
    rounds.onReport(heard(0, 10_000, 0));
    rounds.onLost(3);
    rounds.onLost(-3);
    for (let number = 1; number < 60; number++) rounds.onSent(1_000 * number, number, LENGTH, 1, 1e6);
    let round: Round | undefined;
    for (let number = 1; !round; number++) round = rounds.onReport(heard(number, 10_000 + 1_000 * number, number));
    expect(round.lost).toBe(0);
  });

  test("begin anew after an outage", () => {
    const rounds = new Rounds();
    for (let number = 0; number < 50; number++) rounds.onSent(1_000 * number, number, LENGTH, 1, 1e6);
    rounds.reset();
    expect(rounds.onReport(heard(49, 90_000, 49))).toBeUndefined();
  });
});
