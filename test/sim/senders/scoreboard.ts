/**
 * The scoreboard keeps what a TCP sender remembers of each segment it has sent and not seen acknowledged, with Linux's counts of them
 * (packets_out, sacked_out, lost_out, retrans_out) and its list in order of transmission, which RACK walks (RFC 8985).
 * Segments are numbered from 0; their records are in rings that grow.
 */
import type { Micros } from "../../../src/clock.ts";

export const SEGMENT = {
  SACKED: 1,
  LOST: 2,
  RETRANSMITTED: 4,
  EVER_RETRANSMITTED: 8,
  APP_LIMITED: 16,
  LISTED: 32,
} as const;

type Floats = Float64Array<ArrayBuffer>;

export class Scoreboard {
  /** Oldest segment not acknowledged, and the number the next new segment gets. */
  first = 0;
  end = 0;
  sackedOut = 0;
  lostOut = 0;
  retransmittedOut = 0;
  /** Segments known to have reached the peer, cumulatively or selectively. */
  delivered = 0;
  deliveredTime: Micros = 0;
  /** Send time of the segment most recently delivered. */
  firstSent: Micros = 0;
  /** Segments marked lost in total. */
  lost = 0;
  /** The earliest sent segment of the list, -1 when it is empty. */
  listHead = -1;
  #listTail = -1;
  #mask = 255;
  #sequence: Floats = new Float64Array(256);
  #size: Floats = new Float64Array(256);
  #sent: Floats = new Float64Array(256);
  #flags: Floats = new Float64Array(256);
  #txDelivered: Floats = new Float64Array(256);
  #txDeliveredTime: Floats = new Float64Array(256);
  #txFirstSent: Floats = new Float64Array(256);
  #next: Floats = new Float64Array(256);
  #previous: Floats = new Float64Array(256);

  get packetsOut(): number {
    return this.end - this.first;
  }

  get inFlight(): number {
    return this.end - this.first - this.sackedOut - this.lostOut + this.retransmittedOut;
  }

  sequence(n: number): number {
    return this.#sequence[n & this.#mask] as number;
  }

  size(n: number): number {
    return this.#size[n & this.#mask] as number;
  }

  /** Returns the sequence number after the segment. */
  endOf(n: number): number {
    return this.sequence(n) + this.size(n);
  }

  /** Returns the last time it was sent. */
  sent(n: number): Micros {
    return this.#sent[n & this.#mask] as number;
  }

  has(n: number, flag: number): boolean {
    return ((this.#flags[n & this.#mask] as number) & flag) !== 0;
  }

  txDelivered(n: number): number {
    return this.#txDelivered[n & this.#mask] as number;
  }

  txDeliveredTime(n: number): Micros {
    return this.#txDeliveredTime[n & this.#mask] as number;
  }

  txFirstSent(n: number): Micros {
    return this.#txFirstSent[n & this.#mask] as number;
  }

  /** Returns the one sent next after `n`, -1 at the end of the list. */
  after(n: number): number {
    return this.#next[n & this.#mask] as number;
  }

  set(n: number, flag: number): void {
    this.#flags[n & this.#mask] = (this.#flags[n & this.#mask] as number) | flag;
  }

  clear(n: number, flag: number): void {
    this.#flags[n & this.#mask] = (this.#flags[n & this.#mask] as number) & ~flag;
  }

  /** Appends a new segment, not sent yet. */
  append(sequence: number, size: number): number {
    if (this.packetsOut > this.#mask) this.#grow();
    const n = this.end++;
    this.#sequence[n & this.#mask] = sequence;
    this.#size[n & this.#mask] = size;
    this.#flags[n & this.#mask] = 0;
    return n;
  }

  /** Notes a transmission: time, rate sample (tcp_rate.c) and place at the end of the list. */
  noteSent(n: number, now: Micros, isAppLimited: boolean): void {
    const i = n & this.#mask;
    if (this.inFlight === 0 || this.packetsOut === 1) {
      this.firstSent = now;
      this.deliveredTime = now;
    }
    this.#sent[i] = now;
    this.#txDelivered[i] = this.delivered;
    this.#txDeliveredTime[i] = this.deliveredTime;
    this.#txFirstSent[i] = this.firstSent;
    if (isAppLimited) this.set(n, SEGMENT.APP_LIMITED);
    else this.clear(n, SEGMENT.APP_LIMITED);
    this.unlist(n);
    this.#list(n);
  }

  /** Marks lost; a retransmission of it counts as lost too. */
  markLost(n: number): void {
    if (!this.has(n, SEGMENT.LOST)) {
      this.set(n, SEGMENT.LOST);
      this.lostOut++;
      this.lost++;
    } else if (this.has(n, SEGMENT.RETRANSMITTED)) this.lost++;
    if (this.has(n, SEGMENT.RETRANSMITTED)) {
      this.clear(n, SEGMENT.RETRANSMITTED);
      this.retransmittedOut--;
    }
    this.unlist(n);
  }

  markRetransmitted(n: number): void {
    this.set(n, SEGMENT.RETRANSMITTED | SEGMENT.EVER_RETRANSMITTED);
    this.retransmittedOut++;
  }

  markSacked(n: number): void {
    this.#settle(n);
    this.set(n, SEGMENT.SACKED);
    this.sackedOut++;
  }

  /** Forgets that any was taken for lost. */
  unmarkLost(): void {
    for (let n = this.first; n < this.end; n++) {
      if (this.has(n, SEGMENT.LOST) && !this.has(n, SEGMENT.LISTED)) this.#list(n);
      this.clear(n, SEGMENT.LOST);
    }
    this.lostOut = 0;
  }

  /** Removes the oldest segment, which was acknowledged. */
  shift(): void {
    const n = this.first;
    if (this.has(n, SEGMENT.SACKED)) this.sackedOut--;
    else this.#settle(n);
    this.first++;
  }

  /** Marks it as arrived: neither lost nor in flight any more. */
  #settle(n: number): void {
    if (this.has(n, SEGMENT.RETRANSMITTED)) this.retransmittedOut--;
    if (this.has(n, SEGMENT.LOST)) this.lostOut--;
    this.clear(n, SEGMENT.RETRANSMITTED | SEGMENT.LOST);
    this.unlist(n);
  }

  /** Returns the segment that holds `sequence`; `end` when none does. */
  find(sequence: number): number {
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.endOf(middle) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #list(n: number): void {
    this.#previous[n & this.#mask] = this.#listTail;
    this.#next[n & this.#mask] = -1;
    if (this.#listTail >= 0) this.#next[this.#listTail & this.#mask] = n;
    else this.listHead = n;
    this.#listTail = n;
    this.set(n, SEGMENT.LISTED);
  }

  unlist(n: number): void {
    if (!this.has(n, SEGMENT.LISTED)) return;
    const next = this.#next[n & this.#mask] as number;
    const previous = this.#previous[n & this.#mask] as number;
    if (next >= 0) this.#previous[next & this.#mask] = previous;
    else this.#listTail = previous;
    if (previous >= 0) this.#next[previous & this.#mask] = next;
    else this.listHead = next;
    this.clear(n, SEGMENT.LISTED);
  }

  #grow(): void {
    const mask = 2 * this.#mask + 1;
    const wider = (old: Floats): Floats => {
      const out = new Float64Array(mask + 1);
      for (let n = this.first; n < this.end; n++) out[n & mask] = old[n & this.#mask] as number;
      return out;
    };
    this.#sequence = wider(this.#sequence);
    this.#size = wider(this.#size);
    this.#sent = wider(this.#sent);
    this.#flags = wider(this.#flags);
    this.#txDelivered = wider(this.#txDelivered);
    this.#txDeliveredTime = wider(this.#txDeliveredTime);
    this.#txFirstSent = wider(this.#txFirstSent);
    this.#next = wider(this.#next);
    this.#previous = wider(this.#previous);
    this.#mask = mask;
  }
}
