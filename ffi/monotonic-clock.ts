/**
 * The one monotonic clock of the program: its zero is the start of the system, the same in every thread, and it counts the time asleep.
 *
 * `performance.now()` costs 42 ns in Bun 1.4.5, clock_gettime through FFI several times that, so the former is read and the latter
 * looked at once a second. The former has a zero for each thread, and stands while the system sleeps.
 */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../src/clock.ts";
import { layout } from "./layout.ts";
import { type Libc, pointerTo, systemLibc } from "./libc.ts";

/** Time between two looks at the system's clock. */
const LOOK_INTERVAL: Micros = MICROS_PER_SECOND;
/** A difference above this is sleep; one below is the time that passed between the two readings. */
const SLEEP_MIN: Micros = 100 * MICROS_PER_MILLI;

export class SleepAwareClock {
  readonly #sinceStart: () => Micros;
  readonly #sinceBoot: () => Micros;
  #offset: Micros;
  #lookAt: Micros;

  /**
   * @param sinceStart a cheap clock in whole microseconds that may stand while the system sleeps
   * @param sinceBoot one that does not
   */
  constructor(sinceStart: () => Micros, sinceBoot: () => Micros) {
    this.#sinceStart = sinceStart;
    this.#sinceBoot = sinceBoot;
    const now = sinceStart();
    this.#offset = sinceBoot() - now;
    this.#lookAt = now + LOOK_INTERVAL;
  }

  /** Returns the time in whole microseconds; it never goes back. */
  now(): Micros {
    const now = this.#sinceStart();
    if (now >= this.#lookAt) this.#look(now);
    return now + this.#offset;
  }

  #look(now: Micros): void {
    this.#lookAt = now + LOOK_INTERVAL;
    const sinceBoot = this.#sinceBoot();
    // A thread that lost the core between the two readings was not asleep with the system: the next look tells.
    if (this.#sinceStart() - now > SLEEP_MIN / 2) return;
    const asleep = sinceBoot - now - this.#offset;
    if (asleep > SLEEP_MIN) this.#offset += asleep;
  }
}

let clock: SleepAwareClock | undefined;

/** Returns the time in whole microseconds since the system started, asleep or not; it never goes back. */
export function monotonicMicros(): Micros {
  clock ??= new SleepAwareClock(
    () => Math.floor(performance.now() * 1_000),
    () => readClock(layout.CLOCK_BOOTTIME),
  );
  return clock.now();
}

/** Returns what clock_gettime(2) tells of a clock named in `layout`, in whole microseconds. */
export function readClock(id: number, libc: Libc = systemLibc()): Micros {
  // struct timespec: seconds and nanoseconds, 64 bits each.
  const timespec = new BigInt64Array(new ArrayBuffer(16));
  libc.clock_gettime(id, pointerTo(timespec));
  return Number(timespec[0]) * MICROS_PER_SECOND + Math.floor(Number(timespec[1]) / 1_000);
}
