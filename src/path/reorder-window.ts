/**
 * How far datagrams of one path overtake each other without one being lost, learned from losses that turned out to be none (RFC 9002 section 6.1.2
 * leaves this to the implementation). On a path that keeps order a gap is a loss at once.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

const LONGEST: Micros = 300_000;
/** Without anything spurious for so long, the window shrinks again. */
const MEMORY: Micros = 10 * MICROS_PER_SECOND;
const SHRINK = 0.75;

export class ReorderWindow {
  #window: Micros = 0;
  #learnedAt: Micros = 0;
  /** Datagrams that must have overtaken one before it is taken for lost. */
  get distance(): number {
    return this.#window > 0 ? 3 : 1;
  }

  /** A datagram arrived after all, overtaken by ones sent up to `overtaken` later. */
  onSpurious(now: Micros, overtaken: Micros, rtt: Micros): void {
    this.#window = Math.max(this.#window, Math.min(1.25 * overtaken + 1_000, Math.max(LONGEST, 2 * rtt)));
    this.#learnedAt = now;
  }

  /** µs between sending times; 0 while the path keeps order. */
  window(now: Micros): Micros {
    if (this.#window > 0 && now - this.#learnedAt > MEMORY) {
      this.#window = this.#window < 500 ? 0 : this.#window * SHRINK;
      this.#learnedAt = now;
    }
    return this.#window;
  }
}
