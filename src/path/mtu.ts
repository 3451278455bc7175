/**
 * The largest datagram that a path carries, found by probes alone (RFC 8899, DPLPMTUD): datagrams of a PROBE and padding, one at a time,
 * whose loss says nothing of the path but that they were too large. It starts at a size that nearly every path carries, tries a full
 * packet of the tunnel first and, if that fails, that base itself, and then halves what is left. Sizes are bytes of the transport's payload.
 *
 *     searching ⇄ found
 *
 * It searches anew when large datagrams vanish while small ones pass, and when one byte more, asked for now and then, turns out to pass.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import type { Ack } from "../wire/ack.ts";
import { isReceived, type SettledDatagrams } from "./loss.ts";
import type { SentPackets } from "./sent-packets.ts";

/** BASE_PLPMTU (RFC 8899, 5.1.2); with the headers it fits the 1280 bytes that IPv6 guarantees (RFC 8200, 5). */
export const BASE_DATAGRAM = 1_200;
/** Size used where not even that passes: with the headers below the 576 bytes that every host takes (RFC 791, 3.1). */
export const LEAST_DATAGRAM = 508;
/** MAX_PROBES (RFC 8899, 5.1.2): losses of one size before it counts as too large. */
const MAX_PROBES = 3;
/** PMTU_RAISE_TIMER (RFC 8899, 5.1.1) in the end; the first times sooner, as a route that changed may change back. */
const FIRST_RAISE: Micros = 15 * MICROS_PER_SECOND;
const LAST_RAISE: Micros = 600 * MICROS_PER_SECOND;
/**
 * Large datagrams lost in a row, while a small one arrives, after which they count as not passing any more. The last of them must have been sent
 * when the first were known to be lost: one burst of losses, or a queue that delays all that was sent at once, is no black hole.
 */
const BLACK_HOLE = 4;
/** Probes whose late acknowledgement still counts. */
const REMEMBERED = 4;

export type MtuState = "searching" | "found" | "fixed";

export interface MtuLimits {
  /** The largest size worth trying. */
  readonly ceiling: number;
  /** A datagram with a full packet of the tunnel: nothing smaller saves the packet from being fragmented. */
  readonly full: number;
  /** True if there is nothing to find: a stream carries any size. */
  readonly isFixed: boolean;
}

export class PathMtu {
  readonly #limits: MtuLimits;
  readonly #base: number;
  readonly #least: number;
  /** The largest size known to pass, or the base, until a probe has shown it. */
  size: number;
  #isProven = false;
  state: MtuState;
  /** When the next probe is due; while one is unacknowledged, when it counts as lost. */
  dueAt: Micros;
  /** The largest size that may pass. */
  #high: number;
  /** The size to try next, 0 for none, and how often it was lost in a row. */
  #target = 0;
  #tries = 0;
  #isAwaiting = false;
  #raiseIn: Micros = FIRST_RAISE;
  /** Packet numbers and sizes of the last probes; -1 for none. */
  readonly #numbers = new Float64Array(REMEMBERED).fill(-1);
  readonly #sizes = new Uint16Array(REMEMBERED);
  #probes = 0;
  /** Large datagrams lost since the last one that arrived, and when that was first noticed. */
  #vanished = 0;
  #vanishedAt: Micros = 0;
  /** True if the newest of them was sent after that. */
  #isAgain = false;

  constructor(now: Micros, limits: MtuLimits) {
    this.#limits = limits;
    this.#high = limits.ceiling;
    this.#base = Math.min(BASE_DATAGRAM, limits.ceiling);
    this.#least = Math.min(LEAST_DATAGRAM, limits.ceiling);
    this.size = limits.isFixed ? limits.ceiling : this.#base;
    this.state = limits.isFixed ? "fixed" : "searching";
    this.dueAt = NEVER;
    if (!limits.isFixed) this.#aim(now);
  }

  /** Size above which the losses of datagrams show whether `size` still passes, bytes. */
  get large(): number {
    if (this.state === "fixed") return NEVER;
    return this.size > this.#base ? this.#base : this.#least;
  }

  /** Returns the size of the probe to be sent now, 0 for none. */
  due(now: Micros): number {
    if (now < this.dueAt) return 0;
    if (this.#isAwaiting) this.#miss(now);
    else if (this.#target === 0) this.#raise(now);
    return now < this.dueAt ? 0 : this.#target;
  }

  /** Notes that the probe that was due was sent; `wait` is how long its acknowledgement may take. */
  onSent(now: Micros, number: number, wait: Micros): void {
    const i = this.#probes++ % REMEMBERED;
    this.#numbers[i] = number;
    this.#sizes[i] = this.#target;
    this.#isAwaiting = true;
    this.dueAt = now + wait;
  }

  /** Looks for probes in an acknowledgement. */
  onAck(now: Micros, sent: SentPackets, ack: Ack): void {
    for (let i = 0; i < REMEMBERED; i++) {
      const number = this.#numbers[i] as number;
      if (number < 0 || !isReceived(sent, ack, number)) continue;
      this.#numbers[i] = -1;
      this.#pass(now, this.#sizes[i] as number);
    }
  }

  /** Learns from the acknowledgements and losses of datagrams larger than `large`. */
  onSettled(now: Micros, settled: SettledDatagrams): void {
    if (this.state === "fixed") return;
    if (settled.largeAcked > 0) this.#vanished = 0;
    else if (settled.largeLost > 0) {
      if (this.#vanished === 0) this.#vanishedAt = now;
      this.#vanished += settled.largeLost;
      this.#isAgain = settled.lostSentAt > this.#vanishedAt;
    }
    if (this.#vanished >= BLACK_HOLE && this.#isAgain && settled.ackedPackets > 0) this.#fall(now);
  }

  /** Notes that the local system refused a datagram of so many bytes, as its interface carries less. */
  onRefused(now: Micros, bytes: number): void {
    if (this.state === "fixed") return;
    if (bytes <= this.size) this.#fall(now);
    this.#high = Math.max(this.size, Math.min(this.#high, bytes - 1));
    if (this.#target > this.#high) this.#aim(now);
  }

  /** Begins anew, as the peer's address changed, and with it the route. */
  restart(now: Micros): void {
    if (this.state === "fixed") return;
    this.size = this.#base;
    this.#begin(now);
  }

  #pass(now: Micros, size: number): void {
    if (size < this.size || (size === this.size && this.#isProven)) return;
    this.size = size;
    this.#isProven = true;
    this.#raiseIn = FIRST_RAISE;
    // A size taken for too large has passed after all.
    if (size > this.#high) this.#high = this.#limits.ceiling;
    this.#aim(now);
  }

  #miss(now: Micros): void {
    this.#isAwaiting = false;
    if (++this.#tries < MAX_PROBES) return;
    if (this.#target === this.size) this.size = this.#least;
    this.#high = Math.max(this.size, this.#target - 1);
    this.#aim(now);
  }

  /** Goes on with smaller datagrams, as large ones do not pass, and searches anew. */
  #fall(now: Micros): void {
    this.size = this.large;
    this.#begin(now);
  }

  #begin(now: Micros): void {
    this.#isProven = false;
    this.#vanished = 0;
    this.#raiseIn = FIRST_RAISE;
    this.#numbers.fill(-1);
    this.#high = this.#limits.ceiling;
    this.#aim(now);
  }

  /** Tries one byte more, which shows whether there is anything to search for. */
  #raise(now: Micros): void {
    this.#high = this.#limits.ceiling;
    this.#target = this.size + 1;
    this.#tries = 0;
    this.dueAt = now;
  }

  /** Chooses what to try next, or ends the search. */
  #aim(now: Micros): void {
    const { full, ceiling } = this.#limits;
    this.#tries = 0;
    this.#isAwaiting = false;
    const isSure = this.#isProven || this.size <= this.#least;
    if (this.#high <= this.size && isSure) {
      this.state = "found";
      this.#target = 0;
      this.dueAt = this.size >= ceiling ? NEVER : now + this.#raiseIn;
      this.#raiseIn = Math.min(LAST_RAISE, 2 * this.#raiseIn);
      return;
    }
    this.state = "searching";
    this.dueAt = now;
    if (this.size < full && full <= this.#high) this.#target = full;
    else if (!isSure) this.#target = this.size;
    else if (this.#high === ceiling) this.#target = ceiling;
    else this.#target = this.size + Math.ceil((this.#high - this.size) / 2);
  }
}
