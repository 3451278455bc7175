/**
 * Measures how fast datagrams come out of a path, over spans shorter than a round-trip time, so that a sender in startup sees each
 * doubling as soon as it arrives (the delivery rate of draft-ietf-ccwg-bbr, by the receiver's clock and counters).
 */
import type { Micros } from "../clock.ts";
import type { AckSample } from "./controller.ts";
import { arrivedAt, rate } from "./rounds.ts";

/** The measurement of one span. */
export interface Span {
  /** Rates of sending and of arrival, bytes per second. */
  readonly sent: number;
  readonly received: number;
  /** Mean one-way delay of the datagrams last received before each report, µs. */
  readonly delay: Micros;
  /** Number of delays that the mean is taken over. */
  readonly delays: number;
}

/** Least number of datagrams that give a rate. */
const MIN_DATAGRAMS = 8;

export class ArrivalMeter {
  #isBegun = false;
  #largest = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #receivedAt: Micros = 0;
  #arrivedAt: Micros = 0;
  #startDelay: Micros = 0;
  #delays = 0;
  #delaySum = 0;

  reset(): void {
    this.#isBegun = false;
  }

  /** Takes an acknowledgement in; returns the span that it completes once that has lasted at least `length`. */
  onReport(sample: AckSample, length: Micros): Span | undefined {
    if (!this.#isBegun) return this.#begin(sample);
    this.#delaySum += sample.delay;
    this.#delays++;
    const lasted = sample.receivedAt - this.#receivedAt;
    if (lasted < length || sample.largest - this.#largest < MIN_DATAGRAMS) return undefined;
    const sending = arrivedAt(sample) - this.#arrivedAt - (sample.delay - this.#startDelay);
    const span = {
      sent: rate(sample.sentBytes - this.#sentBytes, sending),
      received: rate(sample.receivedBytes - this.#receivedBytes, lasted),
      delay: this.#delaySum / this.#delays,
      delays: this.#delays,
    };
    this.#begin(sample);
    return span.sent > 0 && span.received > 0 ? span : undefined;
  }

  #begin(sample: AckSample): undefined {
    this.#isBegun = true;
    this.#largest = sample.largest;
    this.#sentBytes = sample.sentBytes;
    this.#receivedBytes = sample.receivedBytes;
    this.#receivedAt = sample.receivedAt;
    this.#arrivedAt = arrivedAt(sample);
    this.#startDelay = sample.delay;
    this.#delays = 0;
    this.#delaySum = 0;
  }
}
