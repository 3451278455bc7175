/** Lets a few events of a kind through at once and then one now and then. Pure: time is an argument. */
import type { Micros } from "../clock.ts";

interface Bucket {
  tokens: number;
  filledAt: Micros;
  suppressed: number;
}

/** What becomes of one event. */
export interface Verdict {
  readonly passes: boolean;
  /** Events of the same kind that were held back since the last that passed. */
  readonly suppressed: number;
}

export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #burst: number;
  readonly #interval: Micros;
  readonly #keys: number;

  /** `burst` events at once, then one every `interval`; at most `keys` kinds are remembered. */
  constructor(burst: number, interval: Micros, keys = 256) {
    this.#burst = burst;
    this.#interval = interval;
    this.#keys = keys;
  }

  check(now: Micros, key: string): Verdict {
    const bucket = this.#bucketOf(now, key);
    const earned = Math.floor((now - bucket.filledAt) / this.#interval);
    if (earned > 0) {
      bucket.tokens = Math.min(this.#burst, bucket.tokens + earned);
      bucket.filledAt += earned * this.#interval;
    }
    if (bucket.tokens === 0) {
      bucket.suppressed++;
      return { passes: false, suppressed: bucket.suppressed };
    }
    const { suppressed } = bucket;
    bucket.tokens--;
    bucket.suppressed = 0;
    return { passes: true, suppressed };
  }

  #bucketOf(now: Micros, key: string): Bucket {
    const known = this.#buckets.get(key);
    // The kind seen last goes to the end, so that the first is the one to forget.
    this.#buckets.delete(key);
    const bucket = known ?? { tokens: this.#burst, filledAt: now, suppressed: 0 };
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keys) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket;
  }
}
