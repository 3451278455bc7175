/** A policer: lets pass what tokens are there for, which come at a rate and gather up to a depth. */
import type { Micros } from "../../src/clock.ts";

/** Bits per second, and bytes of depth. */
export interface Policer {
  readonly rate: number;
  readonly burst: number;
}

export class TokenBucket {
  #tokens: number;
  #at: Micros = 0;

  constructor(tokens: number) {
    this.#tokens = tokens;
  }

  /** True if `bytes` may pass now; their tokens are taken then. */
  take(now: Micros, bytes: number, { rate, burst }: Policer): boolean {
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * rate) / 8e6);
    this.#at = now;
    if (this.#tokens < bytes) return false;
    this.#tokens -= bytes;
    return true;
  }
}
