/**
 * Learns how far datagrams of one path overtake each other without a loss, from losses that turned out to be spurious (RFC 9002 section 6.1.2
 * leaves this to the implementation). On a path that keeps order a gap is a loss at once. On one that does not, the window follows a high quantile of
 * the delays: a spurious retransmission costs one datagram, but every real loss is detected later by the whole window.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

const LONGEST: Micros = 300_000;
/** Deviations up to which two delays differ by jitter, and the least limit, as little is known of a path that seldom carries anything. */
const DEVIATIONS = 6;
const SHORTEST_LIMIT: Micros = 20_000;
/** Growth for each spurious loss, and the share of datagrams that may be one. */
const STEP = 1 / 8;
const SPURIOUS_SHARE = 0.0025;
/** A window smaller than this is none. */
const SHORTEST: Micros = 500;
/** Time without a spurious loss after which the window shrinks although little is sent. */
const MEMORY: Micros = 10 * MICROS_PER_SECOND;
const SHRINK = 0.75;

export class ReorderWindow {
  #window: Micros = 0;
  #learnedAt: Micros = 0;
  /** Datagrams that must have overtaken one before it is declared lost. */
  get distance(): number {
    return this.#window > 0 ? 3 : 1;
  }

  /**
   * Grows the window: `packets` datagrams declared lost have arrived, overtaken by ones sent up to `overtaken` later.
   * @param jitter deviation of the path's delay: datagrams later by more than a few of these were held up on their way
   */
  onSpurious(now: Micros, packets: number, overtaken: Micros, rtt: Micros, jitter: Micros): void {
    const likely = Math.max(SHORTEST_LIMIT, DEVIATIONS * jitter);
    const enough = Math.min(1.25 * overtaken + 1_000, Math.max(LONGEST, 2 * rtt), likely);
    // One datagram says little: begin as RACK does (RFC 8985 section 6.2).
    const grown = this.#window === 0 ? rtt / 4 : this.#window * (1 + STEP) ** packets;
    this.#window = Math.max(this.#window, Math.min(grown, enough));
    this.#learnedAt = now;
  }

  /** Shrinks the window: `packets` datagrams arrived in time. */
  onAcked(packets: number): void {
    if (this.#window === 0) return;
    this.#window *= 1 - Math.min(SHRINK, STEP * SPURIOUS_SHARE * packets);
    if (this.#window < SHORTEST) this.#window = 0;
  }

  /** Returns the window, µs between sending times; 0 while the path keeps order. */
  window(now: Micros): Micros {
    if (this.#window > 0 && now - this.#learnedAt > MEMORY) {
      this.#window = this.#window < SHORTEST ? 0 : this.#window * SHRINK;
      this.#learnedAt = now;
    }
    return this.#window;
  }
}
