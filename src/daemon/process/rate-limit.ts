/** Lets a burst of events of one kind pass and then one an interval. Pure: time is an argument. */
import { MICROS_PER_SECOND, type Micros } from "../../clock.ts";
import { TokenBucket } from "../../token-bucket.ts";

interface Kind {
  /** Time saved up, µs, of which an event spends one interval. */
  readonly saved: TokenBucket;
  suppressed: number;
}

/** The decision on one event. */
export interface Verdict {
  readonly passes: boolean;
  /** Events of the same kind that were suppressed since the last that passed. */
  readonly suppressed: number;
}

export class RateLimit {
  readonly #kinds = new Map<string, Kind>();
  readonly #burst: number;
  readonly #interval: Micros;
  readonly #keys: number;

  /** @param burst events at once, then one every `interval`; @param keys kinds that are remembered */
  constructor(burst: number, interval: Micros, keys = 256) {
    this.#burst = burst;
    this.#interval = interval;
    this.#keys = keys;
  }

  /** Counts one event of the kind `key`. */
  check(now: Micros, key: string): Verdict {
    const kind = this.#kindOf(key);
    if (kind.saved.fill(now, MICROS_PER_SECOND, this.#burst * this.#interval) < this.#interval) {
      kind.suppressed++;
      return { passes: false, suppressed: kind.suppressed };
    }
    const { suppressed } = kind;
    kind.saved.spend(this.#interval);
    kind.suppressed = 0;
    return { passes: true, suppressed };
  }

  #kindOf(key: string): Kind {
    const known = this.#kinds.get(key);
    // The kind seen last goes to the end, so the first is the one to forget.
    this.#kinds.delete(key);
    const kind = known ?? { saved: new TokenBucket(this.#burst * this.#interval), suppressed: 0 };
    this.#kinds.set(key, kind);
    if (this.#kinds.size > this.#keys) this.#kinds.delete(this.#kinds.keys().next().value as string);
    return kind;
  }
}
