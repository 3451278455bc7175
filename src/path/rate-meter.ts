/** A rate over about the last second: amounts fade with a time constant of half a second, computed ten times a second to be cheap. */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

const CONSTANT: Micros = 500_000;
const FOLD: Micros = 100_000;

export class RateMeter {
  #rate = 0;
  #pending = 0;
  #at: Micros = 0;

  add(now: Micros, amount: number): void {
    this.#pending += amount;
    if (now - this.#at >= FOLD) this.#fold(now);
  }

  /** Returns the amount per second. */
  read(now: Micros): number {
    if (now - this.#at >= FOLD) this.#fold(now);
    return this.#rate;
  }

  #fold(now: Micros): void {
    const elapsed = now - this.#at;
    const keep = fade(elapsed / CONSTANT);
    this.#rate = this.#rate * keep + (1 - keep) * ((this.#pending * MICROS_PER_SECOND) / elapsed);
    this.#pending = 0;
    this.#at = now;
  }
}

/** Returns e^-x, at most 0.012 too much, by operations that round alike everywhere, as Math.exp does not. */
function fade(x: number): number {
  return 1 / (1 + x * (1 + (x / 2) * (1 + (x / 3) * (1 + x / 4))));
}
