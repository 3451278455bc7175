import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

/** Time after which a new minimum is begun unless the owner chooses otherwise, µs; the one before counts for as long again. */
const ERA: Micros = 10 * MICROS_PER_SECOND;

/** The base delay of a path: the smallest delay of the last one to two eras, which is that without a queue. */
export class BaseDelay {
  readonly #era: Micros;
  #thisEra: Micros = Number.POSITIVE_INFINITY;
  #lastEra: Micros = Number.POSITIVE_INFINITY;
  #ends: Micros = 0;

  constructor(era: Micros = ERA) {
    this.#era = era;
  }

  /** Infinity before the first sample. */
  get value(): Micros {
    return Math.min(this.#thisEra, this.#lastEra);
  }

  update(now: Micros, delay: Micros): void {
    if (now >= this.#ends) {
      this.#lastEra = this.#thisEra;
      this.#thisEra = Number.POSITIVE_INFINITY;
      this.#ends = now + this.#era;
    }
    this.#thisEra = Math.min(this.#thisEra, delay);
  }

  /** Begins anew from `delay`, as what is above the base is not a queue of ours. */
  reset(now: Micros, delay: Micros): void {
    this.#thisEra = delay;
    this.#lastEra = delay;
    this.#ends = now + this.#era;
  }
}
