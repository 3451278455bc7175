/**
 * Schedules acknowledgements: soon for the first datagrams after a pause, at once for a new hole or a probe, otherwise a few times per round trip,
 * so that they take a small part of the reverse direction.
 */
import { type Micros, NEVER } from "../clock.ts";

/** Datagrams after which an acknowledgement is due at once, and after which it waits for the shortest time, as it adds half a percent to them. */
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
  /** True if the last acknowledgement was not relayed yet, and if the one that is due already was. */
  #mayRelay = false;
  #isRelayed = false;

  /** Notes a datagram that asks for acknowledgement; `urgent` if it revealed a new hole or is a probe. */
  note(now: Micros, urgent: boolean): void {
    if (this.#pending++ === 0) this.#oldestAt = now;
    if (urgent) this.#urgent = true;
  }

  /** Makes the next acknowledgement due at once. */
  hurry(): void {
    this.#urgent = true;
    if (this.#oldestAt === NEVER) this.#oldestAt = 0;
  }

  /** Returns when an acknowledgement is due; `NEVER` while there is nothing to acknowledge. */
  dueAt(rtt: Micros): Micros {
    if (this.#urgent || this.#pending >= MANY) return this.#oldestAt;
    if (this.#pending === 0) return NEVER;
    const interval = this.#pending >= ENOUGH ? SHORTEST : Math.min(LONGEST_ACK_DELAY, Math.max(SHORTEST, rtt / 4));
    // The second datagram after a pause is acknowledged at once, a single one waits for company.
    const earliest = this.#pending >= 2 ? this.#oldestAt : this.#oldestAt + interval;
    return Math.min(this.#oldestAt + interval, Math.max(earliest, this.#lastAt + interval));
  }

  /** True if a faster path is to relay the acknowledgement that is due, or the last one, sent on this path alone. */
  isRelayWanted(now: Micros, rtt: Micros): boolean {
    return this.#mayRelay || (!this.#isRelayed && this.dueAt(rtt) <= now);
  }

  /** Notes that a faster path relays the acknowledgement. */
  onRelayed(now: Micros, rtt: Micros): void {
    this.#isRelayed = this.dueAt(rtt) <= now;
    this.#mayRelay = false;
  }

  sent(now: Micros): void {
    this.#mayRelay = !this.#isRelayed;
    this.#isRelayed = false;
    this.#pending = 0;
    this.#urgent = false;
    this.#oldestAt = NEVER;
    this.#lastAt = now;
  }
}
