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
  /** What was said last is still to be said on a faster path as well; and what is due was said there already. */
  #wantsEcho = false;
  #isEchoed = false;

  /** A datagram that asks for acknowledgement came; `urgent` if it showed a new hole or is a probe. */
  note(now: Micros, urgent: boolean): void {
    if (this.#pending++ === 0) this.#oldestAt = now;
    if (urgent) this.#urgent = true;
  }

  /** Makes the next acknowledgement due at once. */
  hurry(): void {
    this.#urgent = true;
    if (this.#oldestAt === NEVER) this.#oldestAt = 0;
  }

  /** When an acknowledgement is due; `NEVER` if there is nothing to say. */
  dueAt(rtt: Micros): Micros {
    if (this.#urgent || this.#pending >= MANY) return this.#oldestAt;
    if (this.#pending === 0) return NEVER;
    const interval = this.#pending >= ENOUGH ? SHORTEST : Math.min(LONGEST_ACK_DELAY, Math.max(SHORTEST, rtt / 4));
    // The second datagram after a pause is acknowledged at once, a single one waits for company.
    const earliest = this.#pending >= 2 ? this.#oldestAt : this.#oldestAt + interval;
    return Math.min(this.#oldestAt + interval, Math.max(earliest, this.#lastAt + interval));
  }

  /** Whether a faster path is to say what is due, or was said here alone. */
  isEchoWanted(now: Micros, rtt: Micros): boolean {
    return this.#wantsEcho || (!this.#isEchoed && this.dueAt(rtt) <= now);
  }

  /** A faster path says the same. */
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
