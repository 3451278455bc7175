/**
 * When to acknowledge: soon for the first datagrams after a pause, at once for a new hole or a probe, otherwise a few times per round trip,
 * so that feedback stays a small part of what the reverse direction carries.
 */
import { type Micros, NEVER } from "../clock.ts";

/** Datagrams after which an acknowledgement does not wait for its time; and after which it waits for the shortest time only, being half a percent of them. */
const MANY = 64;
const ENOUGH = 16;
const SHORTEST: Micros = 1_000;
/** Longest time a datagram waits for its acknowledgement; the sender counts on it. */
export const LONGEST_ACK_DELAY: Micros = 25_000;

export class AckSchedule {
  #pending = 0;
  #urgent = false;
  #oldestAt: Micros = NEVER;
  #lastAt: Micros = -NEVER;
  /** True if the last acknowledgement is still to be sent on a faster path as well, and true if a faster path has sent the one that is due. */
  #wantsEcho = false;
  #isEchoed = false;

  /** Notes a datagram that asks for acknowledgement; `urgent` if it showed a new hole or is a probe. */
  note(now: Micros, urgent: boolean): void {
    if (this.#pending++ === 0) this.#oldestAt = now;
    if (urgent) this.#urgent = true;
  }

  /** Makes the next acknowledgement due at once. */
  hurry(): void {
    this.#urgent = true;
    if (this.#oldestAt === NEVER) this.#oldestAt = 0;
  }

  /** Returns the time at which an acknowledgement is due; `NEVER` if there is nothing to acknowledge. */
  dueAt(rtt: Micros): Micros {
    if (this.#urgent || this.#pending >= MANY) return this.#oldestAt;
    if (this.#pending === 0) return NEVER;
    const interval = this.#pending >= ENOUGH ? SHORTEST : Math.min(LONGEST_ACK_DELAY, Math.max(SHORTEST, rtt / 4));
    // The second datagram after a pause is acknowledged at once, a single one waits for company.
    const earliest = this.#pending >= 2 ? this.#oldestAt : this.#oldestAt + interval;
    return Math.min(this.#oldestAt + interval, Math.max(earliest, this.#lastAt + interval));
  }

  /** True if a faster path is to send the acknowledgement that is due, or that was sent on this path alone. */
  isEchoWanted(now: Micros, rtt: Micros): boolean {
    return this.#wantsEcho || (!this.#isEchoed && this.dueAt(rtt) <= now);
  }

  /** Notes that a faster path sends the same acknowledgement. */
  echoed(now: Micros, rtt: Micros): void {
    this.#isEchoed = this.dueAt(rtt) <= now;
    this.#wantsEcho = false;
  }

  sent(now: Micros): void {
    this.#wantsEcho = !this.#isEchoed;
    this.#isEchoed = false;
    this.#pending = 0;
    this.#urgent = false;
    this.#oldestAt = NEVER;
    this.#lastAt = now;
  }
}
