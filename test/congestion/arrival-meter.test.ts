import { describe, expect, test } from "bun:test";
import { ArrivalMeter, type Span } from "../../src/congestion/arrival-meter.ts";
import { ackSample } from "../support/ack-sample.ts";

const BYTES = 1_000;

/** Hears of datagrams sent `every` µs that arrive `stretch` times as far apart, reported four at a time. */
function run(every: number, stretch: number, length: number): Span[] {
  const meter = new ArrivalMeter();
  const spans: Span[] = [];
  for (let number = 3; number < 200; number += 4) {
    const receivedAt = 20_000 + number * every * stretch;
    const bytes = (number + 1) * BYTES;
    const delay = receivedAt - number * every;
    const sample = ackSample({ largest: number, receivedAt, receivedBytes: bytes, sentBytes: bytes, delay });
    const span = meter.onReport(sample, length);
    if (span) spans.push(span);
  }
  return spans;
}

describe("ArrivalMeter", () => {
  test("finds the sending rate where nothing stretches", () => {
    const spans = run(500, 1, 5_000);
    expect(spans.length).toBeGreaterThan(10);
    for (const { sent, received } of spans) expect([sent, received]).toEqual([2e6, 2e6]);
  });

  test("finds the rate of a path that is slower, and how its queue grows", () => {
    const spans = run(500, 2, 5_000);
    for (const { sent, received } of spans) {
      expect(sent).toBeCloseTo(2e6);
      expect(received).toBeCloseTo(1e6);
    }
    const delays = spans.map(({ delay }) => delay);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  });

  test("waits for enough datagrams and time", () => {
    expect(run(500, 1, 1_000).length).toBe(24);
    expect(run(500, 1, 50_000).length).toBe(1);
  });

  test("begins anew after a reset", () => {
    const meter = new ArrivalMeter();
    const sample = (largest: number, receivedAt: number) =>
      ackSample({ largest, receivedAt, sentBytes: largest * BYTES });
    meter.onReport(sample(0, 0), 1_000);
    meter.reset();
    expect(meter.onReport(sample(100, 50_000), 1_000)).toBeUndefined();
  });
});
