// @hot
/**
 * A token bucket: tokens arrive at a rate up to a depth, and what happens spends them. A token is whatever the owner counts (bytes, answers).
 * Rate and depth are arguments, as those of a path change all the time. Pure: time is an argument.
 */
import { MICROS_PER_SECOND, type Micros } from "./clock.ts";

export class TokenBucket {
  #tokens: number;
  #at: Micros = 0;

  /** @param tokens there at the start */
  constructor(tokens: number) {
    this.#tokens = tokens;
  }

  /**
   * Adds the tokens that arrived since the last call.
   * @param rate tokens per second
   * @param depth tokens that may be saved up
   * @returns tokens there are now; 0 or less if the bucket was overdrawn
   */
  fill(now: Micros, rate: number, depth: number): number {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(depth, this.#tokens + (rate * elapsed) / MICROS_PER_SECOND);
    return this.#tokens;
  }

  /** Takes tokens; the bucket may be overdrawn. */
  spend(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Returns when there will be `wanted` tokens at this rate; `now` if there are any now. */
  readyAt(now: Micros, rate: number, wanted: number): Micros {
    if (this.#tokens > 0) return now;
    return now + Math.ceil(((wanted - this.#tokens) * MICROS_PER_SECOND) / rate);
  }
}
