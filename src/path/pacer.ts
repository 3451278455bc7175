// @hot
/**
 * Spreads datagrams over time: a token bucket filled at the controller's rate and as deep as one burst, so that batches keep the kernel
 * calls few and the path's queue short.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { TokenBucket } from "../token-bucket.ts";

/** A burst lasts about this long at the current rate. */
const BURST: Micros = 1_000;
const MAX_BURST = 524_288;
/**
 * Lateness of a turn that is made up for while datagrams wait, µs: the path drained its queue for as long, so that what is sent late adds
 * nothing to what stood there before. A longer pause would make a queue that others notice.
 */
export const MADE_UP_LATENESS: Micros = 10_000;

export class Pacer {
  readonly #minBurst: number;
  readonly #bytes: TokenBucket;

  /** @param datagram bytes of a full datagram: two of them may always go together */
  constructor(datagram: number) {
    this.#minBurst = 2 * datagram;
    this.#bytes = new TokenBucket(this.#minBurst, MADE_UP_LATENESS);
  }

  /**
   * Lets time pass.
   * @param rate bytes per second, Infinity for no pacing
   * @returns bytes that may go now; what is sent may overdraw it by part of one datagram
   */
  advance(now: Micros, rate: number): number {
    if (rate === Number.POSITIVE_INFINITY) return rate;
    const burst = Math.max(this.#minBurst, Math.min(MAX_BURST, (rate * BURST) / MICROS_PER_SECOND));
    return this.#bytes.fill(now, rate, burst);
  }

  spend(bytes: number): void {
    this.#bytes.spend(bytes);
  }

  /** Returns when the next datagram may go; `now` if one may already. */
  readyAt(now: Micros, rate: number): Micros {
    if (rate === Number.POSITIVE_INFINITY) return now;
    // A quarter of a burst at a time keeps wake-ups few.
    const wanted = Math.min(this.#minBurst / 2, (rate * BURST) / 4 / MICROS_PER_SECOND);
    return this.#bytes.readyAt(now, rate, wanted);
  }
}
