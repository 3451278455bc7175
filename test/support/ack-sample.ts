/** The sample of an acknowledgement, with the values that a test does not care about. */
import type { AckSample } from "../../src/congestion/controller.ts";

export function ackSample(values: Partial<AckSample>): AckSample {
  return {
    now: 0,
    bytes: 1_000,
    packets: 1,
    rtt: 50_000,
    smoothedRtt: 50_000,
    minRtt: 50_000,
    sentAt: 0,
    priorInFlight: 10_000,
    inFlight: 9_000,
    largest: 0,
    latest: 0,
    ackDelay: 0,
    sentBytes: 0,
    receivedBytes: 0,
    receivedAt: 0,
    delay: 25_000,
    jitter: 0,
    ...values,
  };
}
