/**
 * When to tidy up the heap of the data plane's thread. The runtime does that on its own only where an event loop turns; this
 * thread waits in a system call instead, and would keep after a load all that the load took. Collecting halts it for some
 * milliseconds, so it waits for a lull, and does not do it for a little traffic.
 */
import type { Micros } from "../clock.ts";

/** Packets that leave enough behind to be worth it. */
const WORTH = 20_000;
/** A lull: fewer packets than this in so long. */
const LULL_PACKETS = 200;
const LULL: Micros = 2_000_000;

export class Housekeeping {
  readonly #tidy: () => void;
  #tidiedAt = 0;
  /** What starting leaves behind is worth it too. */
  #isDue = true;
  #lullPackets = 0;
  #lullSince: Micros = 0;

  constructor(tidy: () => void) {
    this.#tidy = tidy;
  }

  /** Called in every turn, with all packets moved until now. */
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
