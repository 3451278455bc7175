/**
 * Cuts what a path sends into rounds, about one round-trip time each, and measures each round by what the receiver says of exactly the
 * datagrams sent in it: sending rate, arrival rate by the receiver's clock, smallest delay, loss. A round is judged when its last
 * datagram has been acknowledged, one round-trip time after it ended.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

/** What was learned of one round. */
export interface Round {
  /** Multiple of the estimated rate at which it was sent. */
  readonly gain: number;
  /** What was aimed for, bytes per second. */
  readonly target: number;
  /** Bytes per second sent, and arrived by the receiver's clock; arrivals may be faster where the network bunches. */
  readonly sent: number;
  readonly arrived: number;
  /** Smallest one-way delay of its datagrams; on the scale of `DelayOrigin`. */
  readonly delay: Micros;
  /** Share of bytes found lost while it was judged. */
  readonly loss: number;
  readonly duration: Micros;
  readonly datagrams: number;
}

interface Mark {
  readonly number: number;
  readonly at: Micros;
  readonly bytes: number;
  readonly gain: number;
  readonly target: number;
}

/** Rounds in flight that are kept: longer silence makes them worthless. */
const MAX_MARKS = 16;
/** A round has at least so many datagrams, or its rates are noise. */
const MIN_DATAGRAMS = 8;

export class Rounds {
  /** Beginnings of rounds not judged yet; the last one is under way. */
  readonly #marks: Mark[] = [];
  #receivedBytes = -1;
  #receivedAt: Micros = 0;
  #delay: Micros = Number.POSITIVE_INFINITY;
  #sentBytes = 0;
  #sentNumber = 0;
  #lostBytes = 0;

  /** A datagram is about to be sent; begins a new round if the last is long enough. */
  onSent(now: Micros, number: number, bytes: number, length: Micros, gain: number, target: number): void {
    const last = this.#marks.at(-1);
    const isOver =
      !last || gain !== last.gain || (now - last.at >= length && this.#sentNumber + 1 - last.number >= MIN_DATAGRAMS);
    if (isOver) {
      if (this.#marks.length === MAX_MARKS) this.#marks.shift();
      this.#marks.push({ number, at: now, bytes: this.#sentBytes, gain, target });
    }
    this.#sentBytes += bytes;
    this.#sentNumber = number;
  }

  onLost(bytes: number): void {
    this.#lostBytes += bytes;
  }

  /**
   * Takes a report in.
   * @param largest largest number received
   * @param receivedBytes all bytes received when the report was made, at `receivedAt` by the receiver's clock; they do not wrap
   * @returns a round that is complete now
   */
  onReport(largest: number, receivedBytes: number, receivedAt: Micros, delay: Micros): Round | undefined {
    const [first, second] = this.#marks;
    if (!first || largest < first.number) return undefined;
    if (this.#receivedBytes < 0) this.#begin(receivedBytes, receivedAt);
    this.#delay = Math.min(this.#delay, delay);
    if (!second || largest < second.number) return undefined;
    this.#marks.shift();
    const sentFor = second.at - first.at;
    const arrivedFor = receivedAt - this.#receivedAt;
    const sentBytes = second.bytes - first.bytes;
    const arrivedBytes = receivedBytes - this.#receivedBytes;
    const { gain, target } = first;
    const round = {
      gain,
      target,
      sent: rate(sentBytes, sentFor),
      arrived: rate(arrivedBytes, arrivedFor),
      delay: this.#delay,
      loss: this.#lostBytes / Math.max(1, arrivedBytes + this.#lostBytes),
      duration: sentFor,
      datagrams: second.number - first.number,
    };
    this.#begin(receivedBytes, receivedAt);
    return sentFor > 0 && arrivedFor > 0 ? round : undefined;
  }

  /** Forgets what is in flight: after an outage nothing of it says anything. */
  reset(): void {
    this.#marks.length = 0;
    this.#receivedBytes = -1;
    this.#delay = Number.POSITIVE_INFINITY;
  }

  #begin(receivedBytes: number, receivedAt: Micros): void {
    this.#receivedBytes = receivedBytes;
    this.#receivedAt = receivedAt;
    this.#delay = Number.POSITIVE_INFINITY;
    this.#lostBytes = 0;
  }
}

function rate(bytes: number, micros: Micros): number {
  return micros > 0 ? (bytes * MICROS_PER_SECOND) / micros : 0;
}
