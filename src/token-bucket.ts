// @hot
/**
 * A token bucket: tokens arrive at a rate up to a depth, and what happens spends them. A token is whatever the owner counts (bytes, answers).
 * Rate and depth are arguments, as those of a path change all the time. Pure: time is an argument.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "./clock.ts";

export class TokenBucket {
  #tokens: number;
  #at: Micros = 0;
  readonly #mostLate: Micros;
  /** The last answer of `readyAt`; `NEVER` while nobody waits. */
  #dueAt: Micros = NEVER;
  /** Delay of this turn against the time it was given, at most `#mostLate`. */
  #late: Micros = 0;

  /**
   * @param tokens there at the start
   * @param mostLate lateness that is made up for, µs: who comes back later than `readyAt` said also finds what arrived meanwhile, whatever the depth
   */
  constructor(tokens: number, mostLate: Micros = 0) {
    this.#tokens = tokens;
    this.#mostLate = mostLate;
  }

  /**
   * Adds the tokens that arrived since the last call.
   * @param rate tokens per second
   * @param depth tokens that may be saved up
   * @returns tokens there are now; 0 or less if the bucket was overdrawn
   */
  fill(now: Micros, rate: number, depth: number): number {
    const elapsed = Math.max(0, now - this.#at);
    if (elapsed > 0) {
      this.#late = Math.min(this.#mostLate, Math.max(0, now - this.#dueAt));
      this.#dueAt = NEVER;
    }
    this.#at = now;
    const most = depth + (rate * this.#late) / MICROS_PER_SECOND;
    this.#tokens = Math.min(most, this.#tokens + (rate * elapsed) / MICROS_PER_SECOND);
    return this.#tokens;
  }

  /** Takes tokens; the bucket may be overdrawn. */
  spend(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Returns when there will be `wanted` tokens at this rate; `now` if there are any now. To be asked only for somebody who waits. */
  readyAt(now: Micros, rate: number, wanted: number): Micros {
    this.#dueAt = this.#tokens > 0 ? now : now + Math.ceil(((wanted - this.#tokens) * MICROS_PER_SECOND) / rate);
    return this.#dueAt;
  }
}
