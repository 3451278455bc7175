/**
 * Measures how fast datagrams come out of a path, over spans shorter than a round trip: a sender in search of the rate learns of each doubling as soon as
 * it arrives (the delivery rate of draft-ietf-ccwg-bbr, by the receiver's clock and counters).
 */
import type { Micros } from "../clock.ts";
import type { AckSample } from "./controller.ts";
import { arrivedAt, rate } from "./rounds.ts";

/** What one span showed. */
export interface Span {
  /** Bytes per second sent and received. */
  readonly sent: number;
  readonly received: number;
  /** Mean one-way delay of the datagrams last received before each report. */
  readonly delay: Micros;
  /** Reports that went into the mean. */
  readonly delays: number;
}

/** Fewer datagrams tell no rate. */
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

  /** Takes a report in; returns a span of at least `length` that is complete now. */
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
