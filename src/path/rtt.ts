/**
 * Round-trip time of a path: smoothed value and mean deviation with the gains of RFC 6298 section 2 (the dissertation's moving average, 3.2.3),
 * and the smallest of the last minutes. The peer's delay is subtracted as in RFC 9002 section 5.3: it is a claim, and a receiver that was preempted
 * between the arrival and its clock claims too much.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { BaseDelay } from "../congestion/base-delay.ts";

const GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
/** Round-trip time assumed before the first sample: long enough for a satellite, short enough to be corrected soon. */
const INITIAL: Micros = 200_000;
/** Longest sample believed, as no queue is longer: a peer that claims to have received datagrams late must not stop the path's timers. */
const LONGEST: Micros = 10_000_000;
/** Time after which a new minimum is begun, µs: longer than a transfer that keeps a queue standing, shorter than the life of a route. */
const MIN_ERA: Micros = 150 * MICROS_PER_SECOND;

export class Rtt {
  latest: Micros = 0;
  readonly #base = new BaseDelay(MIN_ERA);
  deviation: Micros = INITIAL / 2;
  #smoothed: Micros = 0;

  /** 0 before the first sample. */
  get measured(): Micros {
    return this.#smoothed;
  }

  /** The smoothed value, or a guess before the first sample. */
  get smoothed(): Micros {
    return this.#smoothed === 0 ? INITIAL : this.#smoothed;
  }

  /** The smallest time from sending to acknowledgement of the last 2.5 to 5 minutes, µs, with the peer's delay (RFC 9002 section 5.2); 0 before the first sample. */
  get min(): Micros {
    return this.#smoothed === 0 ? 0 : this.#base.value;
  }

  /**
   * Takes a sample; it is never taken for less than the smallest time there was.
   * @param elapsed time from sending to the acknowledgement, µs
   * @param ackDelay what the peer says that it waited of it, µs
   */
  update(now: Micros, elapsed: Micros, ackDelay: Micros): void {
    this.#base.update(now, clamp(elapsed));
    const rtt = Math.max(this.#base.value, clamp(elapsed - ackDelay));
    this.latest = rtt;
    if (this.#smoothed === 0) {
      this.#smoothed = rtt;
      this.deviation = rtt / 2;
      return;
    }
    this.deviation += DEVIATION_GAIN * (Math.abs(this.#smoothed - rtt) - this.deviation);
    this.#smoothed += GAIN * (rtt - this.#smoothed);
  }
}

function clamp(sample: Micros): Micros {
  return Math.min(LONGEST, Math.max(1, sample));
}
