/**
 * Cuts what a path sends into rounds, about one round-trip time each, and measures each round by what the receiver says of exactly the
 * datagrams sent in it: sending rate, arrival rate by the receiver's clock, mean delay, loss. A round is judged when its last
 * datagram has been acknowledged, one round-trip time after it ended.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { AckSample } from "./controller.ts";

/** The measurement of one round. */
export interface Round {
  /** Multiple of the estimated rate at which it was sent, and the rate aimed for, bytes per second. */
  readonly gain: number;
  readonly target: number;
  /** Rate of sending, bytes per second. */
  readonly sent: number;
  /** Rate at which the same bytes came out at the far end, as if none had been lost, bytes per second. */
  readonly stretched: number;
  /** Rate of arrival, bytes per second. */
  readonly arrived: number;
  /** Mean one-way delay of its datagrams, µs; on the scale of `DelayOrigin`. */
  readonly delay: Micros;
  /** Number of delays that the mean is taken over. */
  readonly delays: number;
  readonly duration: Micros;
  readonly datagrams: number;
  /** Number of datagrams declared lost while it was measured. */
  readonly lost: number;
}

interface Mark {
  readonly number: number;
  readonly at: Micros;
  readonly gain: number;
  readonly target: number;
}

/** State of the receiver's report at the start of a round. */
interface Report {
  largest: number;
  sentBytes: number;
  /** Times of the latest arrival and of the report, by the receiver's clock. */
  arrivedAt: Micros;
  madeAt: Micros;
  receivedBytes: number;
}

/** Number of rounds in flight that are kept; a silence that fills them makes the oldest worthless. */
const MAX_MARKS = 16;
/** Least number of datagrams in a round, below which its rates are noise. */
const MIN_DATAGRAMS = 8;

export class Rounds {
  /** Starts of the rounds that are not complete; the last one is being sent. */
  readonly #marks: Mark[] = [];
  readonly #start: Report = { largest: -1, sentBytes: 0, arrivedAt: 0, madeAt: 0, receivedBytes: 0 };
  #delaySum = 0;
  #delays = 0;
  #lost = 0;
  #startDelay: Micros = 0;

  /** Notes a datagram that is about to be sent; begins a new round if the last is long enough or the gain has changed. */
  onSent(now: Micros, number: number, length: Micros, gain: number, target: number): void {
    const last = this.#marks.at(-1);
    const isLong = last && now - last.at >= length && number - last.number >= MIN_DATAGRAMS;
    if (!last || gain !== last.gain || isLong) {
      if (this.#marks.length === MAX_MARKS) this.#marks.shift();
      this.#marks.push({ number, at: now, gain, target });
    }
  }

  onLost(datagrams: number): void {
    this.#lost += datagrams;
  }

  /** Takes an acknowledgement in; returns the round that it completes. */
  onReport(sample: AckSample): Round | undefined {
    const [first, second] = this.#marks;
    if (!first || sample.largest < first.number) return undefined;
    if (this.#start.largest < 0) this.#begin(sample);
    this.#delaySum += sample.delay;
    this.#delays++;
    if (!second || sample.largest < second.number) return undefined;
    this.#marks.shift();
    const start = this.#start;
    const stretchedFor = arrivedAt(sample) - start.arrivedAt;
    const round = {
      gain: first.gain,
      target: first.target,
      sent: rate(sample.sentBytes - start.sentBytes, stretchedFor - (sample.delay - this.#startDelay)),
      stretched: rate(sample.sentBytes - start.sentBytes, stretchedFor),
      arrived: rate(sample.receivedBytes - start.receivedBytes, sample.receivedAt - start.madeAt),
      delay: this.#delaySum / this.#delays,
      delays: this.#delays,
      duration: second.at - first.at,
      datagrams: sample.largest - start.largest,
      lost: this.#lost,
    };
    this.#begin(sample);
    return round.sent > 0 && round.stretched > 0 ? round : undefined;
  }

  /** Forgets the rounds in flight, which an outage makes meaningless. */
  reset(): void {
    this.#marks.length = 0;
    this.#start.largest = -1;
  }

  #begin(sample: AckSample): void {
    const start = this.#start;
    start.largest = sample.largest;
    start.sentBytes = sample.sentBytes;
    start.arrivedAt = arrivedAt(sample);
    start.madeAt = sample.receivedAt;
    start.receivedBytes = sample.receivedBytes;
    this.#startDelay = sample.delay;
    this.#delaySum = 0;
    this.#delays = 0;
    this.#lost = 0;
  }
}

/** Returns the time at which the latest datagram of the report arrived, by the receiver's clock. */
export function arrivedAt(sample: AckSample): Micros {
  return sample.receivedAt - sample.ackDelay;
}

/** Returns bytes per second; 0 for no time. */
export function rate(bytes: number, micros: Micros): number {
  return micros > 0 ? (bytes * MICROS_PER_SECOND) / micros : 0;
}
