// @hot
/**
 * When a flow's sender is to be told that its packets wait too long: CoDel's control law (RFC 8289) on the part of the wait that serves nobody.
 * Not before that has stood for a whole interval; then more often with the square root of the signals given.
 */
import type { Micros } from "../clock.ts";

/** Signals resume at nearly their former rate if they ended no longer ago than so many intervals (RFC 8289, 5.5). */
const MEMORY = 16;

export class Codel {
  #aboveSince: Micros = -1;
  #isSignalling = false;
  #count = 0;
  #nextAt: Micros = 0;

  /** The flow is another one. */
  open(): void {
    this.rest();
    this.#count = 0;
    this.#nextAt = 0;
  }

  /** Nothing waits any more. */
  rest(): void {
    this.#aboveSince = -1;
    this.#isSignalling = false;
  }

  /**
   * Called for each packet that leaves the head of its flow.
   * @param excess how long it waited beyond what is useful
   * @param echo how long the sender takes to show that it was told, 0 if it may never: until then a further signal would be for the same excess
   * @returns true if the sender is to be told now
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
