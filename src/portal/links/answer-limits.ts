/**
 * Limits the answers to initiations. While there are few, all are answered; under load only those whose sender has shown a cookie, and so
 * that it receives at its address, and only a few of one address. The others are sent a cookie, which costs little.
 */
import type { Micros } from "../../clock.ts";
import { addressOf, type Endpoint } from "../../endpoint.ts";
import { TokenBucket } from "../../token-bucket.ts";

/** Answers per second, and how many may come at once. */
const ANSWERS = { rate: 100, burst: 50 } as const;
/** Below this credit it is a load. */
const UNDER_LOAD = 25;
const COOKIES = { rate: 500, burst: 100 } as const;
/** Limit of one address under load. */
const BY_ADDRESS = { rate: 5, burst: 5 } as const;
/** Addresses that are remembered; one that is forgotten begins with the full burst. */
const ADDRESSES = 256;

export class AnswerLimits {
  readonly #answers = new Credit(ANSWERS);
  readonly #cookies = new Credit(COOKIES);
  readonly #byAddress = new Map<string, Credit>();

  /** True if everybody may be answered now. */
  isIdle(now: Micros): boolean {
    return this.#answers.has(now, UNDER_LOAD);
  }

  /** True, and one answer less, if one may be given at all. */
  spend(now: Micros): boolean {
    return this.#answers.spend(now);
  }

  /** True, and one answer less for that address, if it may have another under load. */
  spendFor(now: Micros, remote: Endpoint): boolean {
    const key = addressOf(remote).toHex();
    const credit = this.#byAddress.get(key) ?? new Credit(BY_ADDRESS);
    this.#byAddress.delete(key);
    this.#byAddress.set(key, credit);
    if (this.#byAddress.size > ADDRESSES) this.#byAddress.delete(this.#byAddress.keys().next().value as string);
    return credit.spend(now);
  }

  /** True, and one cookie less, if one may be sent. */
  spendCookie(now: Micros): boolean {
    return this.#cookies.spend(now);
  }
}

/** A limit of events per second with a burst. */
class Credit {
  readonly #rate: number;
  readonly #burst: number;
  readonly #tokens: TokenBucket;

  constructor({ rate, burst }: { readonly rate: number; readonly burst: number }) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = new TokenBucket(burst);
  }

  has(now: Micros, amount: number): boolean {
    return this.#tokens.fill(now, this.#rate, this.#burst) >= amount;
  }

  spend(now: Micros): boolean {
    if (!this.has(now, 1)) return false;
    this.#tokens.spend(1);
    return true;
  }
}
