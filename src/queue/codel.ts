// @hot
/**
 * Decides when to signal a flow's sender that its packets wait too long: CoDel's control law (RFC 8289) on the part of the wait that is of no use.
 * The first signal comes after a whole interval above the target; the next ones come at intervals that shrink with the square root of their count.
 */
import type { Micros } from "../clock.ts";

/** Number of intervals within which signals resume at nearly their former rate (RFC 8289, 5.5). */
const MEMORY = 16;

export class Codel {
  #aboveSince: Micros = -1;
  #isSignalling = false;
  #count = 0;
  #nextAt: Micros = 0;

  /** Forgets everything, for another flow. */
  open(): void {
    this.rest();
    this.#count = 0;
    this.#nextAt = 0;
  }

  /** Ends the signalling, as nothing waits any more. */
  rest(): void {
    this.#aboveSince = -1;
    this.#isSignalling = false;
  }

  /**
   * Called for each packet that leaves the head of its flow.
   * @param excess time it waited beyond what is useful, µs
   * @param echo time until the sender's reaction to a signal shows, 0 if unknown, µs: before that, a further signal would be for the same excess
   * @returns true if the sender is to be signalled now
   */
  judge(now: Micros, excess: Micros, target: Micros, interval: Micros, echo: Micros): boolean {
    if (excess < target) {
      this.rest();
      return false;
    }
    if (this.#aboveSince < 0) this.#aboveSince = now;
    if (!this.#isSignalling) {
      if (now - this.#aboveSince < interval) return false;
      const isRecent = this.#count > 2 && now - this.#nextAt < MEMORY * interval;
      this.#count = isRecent ? this.#count - 2 : 1;
      this.#isSignalling = true;
      this.#nextAt = now;
    } else if (now < this.#nextAt) return false;
    else this.#count++;
    this.#nextAt = Math.max(this.#nextAt + interval / Math.sqrt(this.#count), now + echo);
    return true;
  }
}
