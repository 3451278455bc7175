// @hot
/**
 * What a person wants of a link: no more than so much per second, each way, and no traffic beyond need where traffic is paid for.
 * Who receives tells the peer, since only the sender can hold back; each end obeys the stricter of both words.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import { TokenBucket } from "../token-bucket.ts";

export interface LinkLimits {
  /** Traffic is paid for: no copies, no duplicates, and no more probes than keep the path alive. */
  readonly isMetered: boolean;
  /** Bytes per second of IP packets, by direction; `NEVER` for as much as passes. */
  readonly out: number;
  readonly in: number;
}

export const NO_LIMITS: LinkLimits = { isMetered: false, out: NEVER, in: NEVER };

/** What may go at once after a pause, as time at the full rate; two datagrams at least. */
const BURST: Micros = 2_000;
/** An answer to what was told is awaited for so long before it is told again. */
const TELL_AGAIN: Micros = 250_000;

export class PathLimits {
  readonly own: LinkLimits;
  /** Bytes per second of IP packets that may go, `NEVER` without a limit. */
  rate: number;
  isMetered: boolean;
  /** Number of the datagram that told the peer, -1 before; and when. */
  #toldIn = -1;
  #toldAt: Micros = -NEVER;
  #isTold = false;
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
    this.#bytes = new TokenBucket(this.#minBurst);
    this.#isTold = !own.isMetered && own.in === NEVER;
  }

  /** The rate as datagrams of `size` bytes see it. */
  rateFor(size: number): number {
    return (this.rate * size) / (size + this.#headers);
  }

  /** What the peer wants of this path. */
  hear(isMetered: boolean, limit: number): void {
    this.isMetered = this.own.isMetered || isMetered;
    this.rate = Math.min(this.own.out, limit);
  }

  /** Whether the peer is to be told what this end wants. `isAcked` tells of a packet number whether it arrived. */
  mustTell(now: Micros, isAcked: (number: number) => boolean): boolean {
    if (this.#isTold) return false;
    if (this.#toldIn >= 0 && isAcked(this.#toldIn)) this.#isTold = true;
    return !this.#isTold && now - this.#toldAt >= TELL_AGAIN;
  }

  told(now: Micros, number: number): void {
    this.#toldIn = number;
    this.#toldAt = now;
  }

  /** True if the limit lets a datagram go; it may overdraw by part of one. */
  allows(now: Micros): boolean {
    if (this.rate === NEVER) return true;
    const burst = Math.max(this.#minBurst, (this.rate * BURST) / MICROS_PER_SECOND);
    return this.#bytes.fill(now, this.rate, burst) > 0;
  }

  /** A datagram went; those that no limit holds back count too. */
  spend(bytes: number): void {
    if (this.rate !== NEVER) this.#bytes.spend(bytes + this.#headers);
  }

  /** When the next datagram may go; `now` or before if one may already. */
  readyAt(now: Micros): Micros {
    return this.rate === NEVER ? now : this.#bytes.readyAt(now, this.rate, 1);
  }
}
