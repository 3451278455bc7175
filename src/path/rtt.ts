/**
 * Round-trip time of a path: smoothed value and mean deviation with the gains of RFC 6298 section 2 (the dissertation's moving average, 3.2.3),
 * the smallest sample, and the waits that follow from them.
 */
import type { Micros } from "../clock.ts";

const GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
/** Before the first sample: long enough for a satellite, short enough to be found out. */
const INITIAL: Micros = 200_000;
/** No queue is longer; a peer that claims to have received only now what is long gone must not stop the clocks of the path. */
const LONGEST: Micros = 10_000_000;

export class Rtt {
  latest: Micros = 0;
  min: Micros = 0;
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

  /** @param sample time from sending to hearing of it, less what the peer waited; at least 1 */
  update(sample: Micros): void {
    const rtt = Math.min(LONGEST, Math.max(1, sample));
    this.latest = rtt;
    if (this.#smoothed === 0) {
      this.#smoothed = rtt;
      this.deviation = rtt / 2;
      this.min = rtt;
      return;
    }
    this.min = Math.min(this.min, rtt);
    this.deviation += DEVIATION_GAIN * (Math.abs(this.#smoothed - rtt) - this.deviation);
    this.#smoothed += GAIN * (rtt - this.#smoothed);
  }
}
