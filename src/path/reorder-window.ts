/**
 * The reordering that a path shows without loss, learned from losses that turned out to be none (RFC 9002 section 6.1.2
 * leaves this to the implementation). On a path that keeps order a gap is a loss at once. On one that does not, the window follows the quantile beyond
 * which few datagrams come: a spurious retransmission costs one datagram, but every real loss is noticed later by the whole window.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

const LONGEST: Micros = 300_000;
/** Two delays that lie further apart than this, in deviations, are no jitter; but little is known of a path that seldom carries anything. */
const DEVIATIONS = 6;
const SHORTEST_LIMIT: Micros = 20_000;
/** Growth for a datagram that came after all, and the share of datagrams that may. */
const STEP = 1 / 8;
const SPURIOUS_SHARE = 0.0025;
/** A window smaller than this is none. */
const SHORTEST: Micros = 500;
/** Without anything spurious for so long, the window shrinks although little is sent. */
const MEMORY: Micros = 10 * MICROS_PER_SECOND;
const SHRINK = 0.75;

export class ReorderWindow {
  #window: Micros = 0;
  #learnedAt: Micros = 0;
  /** Datagrams that must have overtaken one before it is taken for lost. */
  get distance(): number {
    return this.#window > 0 ? 3 : 1;
  }

  /**
   * Widens the window after `packets` datagrams arrived that were declared lost, overtaken by ones sent up to `overtaken` later.
   * @param jitter deviation of the path's delay: beyond some of these what comes late was held up on its way to be told of
   */
  onSpurious(now: Micros, packets: number, overtaken: Micros, rtt: Micros, jitter: Micros): void {
    const likely = Math.max(SHORTEST_LIMIT, DEVIATIONS * jitter);
    const enough = Math.min(1.25 * overtaken + 1_000, Math.max(LONGEST, 2 * rtt), likely);
    // One datagram says little of the others: begin as RACK does (RFC 8985 section 6.2).
    const grown = this.#window === 0 ? rtt / 4 : this.#window * (1 + STEP) ** packets;
    this.#window = Math.max(this.#window, Math.min(grown, enough));
    this.#learnedAt = now;
  }

  /** Counts `packets` datagrams that arrived in time. */
  onAcked(packets: number): void {
    if (this.#window === 0) return;
    this.#window *= 1 - Math.min(SHRINK, STEP * SPURIOUS_SHARE * packets);
    if (this.#window < SHORTEST) this.#window = 0;
  }

  /** Returns the window in µs between sending times; 0 while the path keeps order. */
  window(now: Micros): Micros {
    if (this.#window > 0 && now - this.#learnedAt > MEMORY) {
      this.#window = this.#window < SHORTEST ? 0 : this.#window * SHRINK;
      this.#learnedAt = now;
    }
    return this.#window;
  }
}
