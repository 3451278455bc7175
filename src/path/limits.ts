// @hot
/**
 * The limits a person sets for a link: a rate for each direction, and no unnecessary traffic where traffic is paid for.
 * The receiver sends its limits to the peer, since only the sender can hold back; each end obeys the stricter of both.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import { TokenBucket } from "../token-bucket.ts";
import { MADE_UP_LATENESS } from "./pacer.ts";

export interface LinkLimits {
  /** True if traffic is paid for: no reinjections, no duplicates, and only the probes that keep the path alive. */
  readonly isMetered: boolean;
  /** Bytes per second of IP packets, by direction; `NEVER` for no limit. */
  readonly out: number;
  readonly in: number;
}

export const NO_LIMITS: LinkLimits = { isMetered: false, out: NEVER, in: NEVER };

/** Burst after a pause, as time at the full rate; at least two datagrams. */
const BURST: Micros = 2_000;
/** Time after which limits that were not acknowledged are sent again. */
const RESEND_AFTER: Micros = 250_000;

export class PathLimits {
  readonly own: LinkLimits;
  /** Bytes per second of IP packets that may be sent; `NEVER` for no limit. */
  rate: number;
  isMetered: boolean;
  /** Number of the datagram that carried this end's limits, -1 before the first, and when it was sent. */
  #sentIn = -1;
  #sentAt: Micros = -NEVER;
  /** True once the peer knows this end's limits. */
  #isKnown = false;
  readonly #headers: number;
  readonly #minBurst: number;
  readonly #bytes: TokenBucket;

  /**
   * @param headers bytes of IP and transport headers in front of each datagram
   * @param datagram bytes of a full datagram
   */
  constructor(own: LinkLimits, headers: number, datagram: number) {
    this.own = own;
    this.rate = own.out;
    this.isMetered = own.isMetered;
    this.#headers = headers;
    this.#minBurst = 2 * (datagram + headers);
    this.#bytes = new TokenBucket(this.#minBurst, MADE_UP_LATENESS);
    this.#isKnown = !own.isMetered && own.in === NEVER;
  }

  /** Returns the rate in bytes of datagrams, of `size` bytes each. */
  rateFor(size: number): number {
    return (this.rate * size) / (size + this.#headers);
  }

  /** Takes the peer's limits: bytes per second of IP packets. */
  setPeer(isMetered: boolean, rate: number): void {
    this.isMetered = this.own.isMetered || isMetered;
    this.rate = Math.min(this.own.out, rate);
  }

  /** True if this end's limits are to be sent to the peer. `isAcked` returns whether the datagram with a number was acknowledged. */
  areDue(now: Micros, isAcked: (number: number) => boolean): boolean {
    if (this.#isKnown) return false;
    if (this.#sentIn >= 0 && isAcked(this.#sentIn)) this.#isKnown = true;
    return !this.#isKnown && now - this.#sentAt >= RESEND_AFTER;
  }

  /** Notes that datagram `number` carries this end's limits. */
  onSent(now: Micros, number: number): void {
    this.#sentIn = number;
    this.#sentAt = now;
  }

  /** True if the limit lets a datagram go; it may overdraw by part of one. */
  allows(now: Micros): boolean {
    if (this.rate === NEVER) return true;
    const burst = Math.max(this.#minBurst, (this.rate * BURST) / MICROS_PER_SECOND);
    return this.#bytes.fill(now, this.rate, burst) > 0;
  }

  /** Charges a datagram that was sent, whether or not it had to wait. */
  spend(bytes: number): void {
    if (this.rate !== NEVER) this.#bytes.spend(bytes + this.#headers);
  }

  /** Returns when the next datagram may go; `now` or before if one may already. */
  readyAt(now: Micros): Micros {
    return this.rate === NEVER ? now : this.#bytes.readyAt(now, this.rate, 1);
  }
}
