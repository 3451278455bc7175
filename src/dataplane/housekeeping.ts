/**
 * Decides when the heap of the data plane's thread is collected. The runtime does that on its own only where an event loop turns; this
 * thread waits in a system call instead and would keep the memory of a load after it. A collection halts it for some milliseconds, so
 * it waits for a lull, and spares it after little traffic.
 */
import type { Micros } from "../clock.ts";

/** Packets after which a collection is worth its halt. */
const WORTH = 20_000;
/** A lull has fewer packets than this within its length. */
const LULL_PACKETS = 200;
const LULL: Micros = 2_000_000;

export class Housekeeping {
  readonly #tidy: () => void;
  #tidiedAt = 0;
  /** True at first: starting leaves garbage behind too. */
  #isDue = true;
  #lullPackets = 0;
  #lullSince: Micros = 0;

  constructor(tidy: () => void) {
    this.#tidy = tidy;
  }

  /** Notes a turn of the loop; `packets` counts all that were moved until now. */
  turn(now: Micros, packets: number): void {
    if (packets - this.#lullPackets >= LULL_PACKETS || this.#lullSince === 0) {
      this.#lullPackets = packets;
      this.#lullSince = now;
      if (packets - this.#tidiedAt >= WORTH) this.#isDue = true;
      return;
    }
    if (now - this.#lullSince < LULL) return;
    this.#lullPackets = packets;
    this.#lullSince = now;
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#tidiedAt = packets;
    this.#tidy();
  }
}
