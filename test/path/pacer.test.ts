import { describe, expect, test } from "bun:test";
import { MADE_UP_LATENESS, Pacer } from "../../src/path/pacer.ts";

const DATAGRAM = 1_400;
const SECOND = 1_000_000;

interface Sent {
  readonly at: number;
  readonly bytes: number;
}

/** Sends as much as allowed for `duration`, waking when the pacer says, but not before the next multiple of `turn`. */
function run(pacer: Pacer, rate: number, turn: number, duration: number): Sent[] {
  const sent: Sent[] = [];
  const start = 1_000_000;
  for (let now = start; now < start + duration; ) {
    while (pacer.advance(now, rate) > 0) {
      pacer.spend(DATAGRAM);
      sent.push({ at: now, bytes: DATAGRAM });
    }
    const ready = pacer.readyAt(now, rate);
    now = turn === 0 ? ready : Math.max(now + turn, Math.ceil(ready / turn) * turn);
  }
  return sent;
}

const total = (sent: readonly Sent[]) => sent.reduce((sum, { bytes }) => sum + bytes, 0);

describe("Pacer", () => {
  test.each([12_500, 125_000, 1_250_000, 12_500_000, 60_000_000, 125_000_000])(
    "holds %d bytes per second within 1 %% over the long run",
    (rate) => {
      const duration = Math.max(SECOND, (500 * DATAGRAM * SECOND) / rate);
      expect(total(run(new Pacer(DATAGRAM), rate, 0, duration)) / ((rate * duration) / SECOND)).toBeWithin(0.99, 1.01);
    },
  );

  // Lateness up to 10 ms is made up for: a turn that takes no longer loses nothing.
  test.each([
    [125_000, 5_000],
    [125_000, 20_000],
    [1_250_000, 500],
    [1_250_000, 1_900],
    [12_500_000, 100],
    [12_500_000, 870],
    [60_000_000, 50],
    [60_000_000, 900],
    [125_000_000, 400],
    [1_250_000, 9_000],
    [12_500_000, 5_000],
    [60_000_000, 9_000],
    [125_000_000, 3_000],
  ])("holds %d bytes per second in turns of %d us", (rate, turn) => {
    const duration = Math.max(SECOND, (500 * DATAGRAM * SECOND) / rate);
    const share = total(run(new Pacer(DATAGRAM), rate, turn, duration)) / ((rate * duration) / SECOND);
    expect(share).toBeWithin(0.99, 1.01);
  });

  test("never exceeds the rate by more than a burst and the lateness it makes up for, however long the turns", () => {
    for (const rate of [125_000, 1_250_000, 12_500_000, 125_000_000]) {
      const burst = Math.max(2 * DATAGRAM, Math.min(524_288, rate / 1_000)) + DATAGRAM;
      for (const turn of [0, 300, 4_000, 50_000]) {
        const sent = run(new Pacer(DATAGRAM), rate, turn, 400_000);
        let sum = 0;
        let worst = 0;
        let floor = 0;
        for (const { at, bytes } of sent) {
          // The largest excess over any interval is the largest rise of (sent - allowed).
          const allowed = (rate * (at - 1_000_000)) / SECOND;
          floor = Math.min(floor, sum - allowed);
          sum += bytes;
          worst = Math.max(worst, sum - allowed - floor);
        }
        const late = (rate * Math.min(turn, MADE_UP_LATENESS)) / SECOND;
        expect(worst).toBeLessThanOrEqual(burst + late + 1);
      }
    }
  });

  test("makes up for lateness only while somebody waited", () => {
    const pacer = new Pacer(DATAGRAM);
    const rate = 12_500_000;
    while (pacer.advance(0, rate) > 0) pacer.spend(DATAGRAM);
    expect(pacer.advance(SECOND, rate)).toBe(rate / 1_000);
    while (pacer.advance(SECOND, rate) > 0) pacer.spend(DATAGRAM);
    const ready = pacer.readyAt(SECOND, rate);
    expect(pacer.advance(ready + 4_000, rate)).toBeGreaterThan((4 * rate) / 1_000);
  });

  test("saves up no more than a burst while idle", () => {
    const pacer = new Pacer(DATAGRAM);
    pacer.advance(0, 1_250_000);
    expect(pacer.advance(10 * SECOND, 1_250_000)).toBe(2 * DATAGRAM);
    expect(pacer.advance(20 * SECOND, 10_000_000)).toBe(10_000);
    expect(pacer.advance(30 * SECOND, 1_000_000_000)).toBe(524_288);
  });

  test("lets two datagrams go at once at any rate", () => {
    const pacer = new Pacer(DATAGRAM);
    expect(pacer.advance(0, 1)).toBeGreaterThan(0);
    pacer.spend(DATAGRAM);
    expect(pacer.advance(0, 1)).toBeGreaterThan(0);
    pacer.spend(DATAGRAM);
    expect(pacer.advance(0, 1)).toBeLessThanOrEqual(0);
  });

  test("is ready when it says, and not a microsecond before its credit is positive", () => {
    for (const rate of [50_000, 1_000_000, 30_000_000]) {
      const pacer = new Pacer(DATAGRAM);
      while (pacer.advance(0, rate) > 0) pacer.spend(DATAGRAM);
      const ready = pacer.readyAt(0, rate);
      expect(ready).toBeGreaterThan(0);
      expect(pacer.advance(ready, rate)).toBeGreaterThan(0);
      expect(pacer.readyAt(ready, rate)).toBe(ready);
    }
  });

  test("does not hold back anything without a rate, and does not mind time standing still", () => {
    const pacer = new Pacer(DATAGRAM);
    for (let i = 0; i < 100; i++) pacer.spend(DATAGRAM);
    expect(pacer.advance(5, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(pacer.readyAt(5, Number.POSITIVE_INFINITY)).toBe(5);
    const before = pacer.advance(10, 1_000_000);
    expect(pacer.advance(10, 1_000_000)).toBe(before);
    expect(pacer.advance(9, 1_000_000)).toBe(before);
  });
});
