// @hot
/**
 * One-way delay of a path, against a zero that is unknown but the same for all paths between the two portals: differences between
 * paths and changes over time are exact without any agreement of clocks, as all stamps of one direction come from the same two.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";

/** The smallest delay is remembered for this long at least, twice this at most. */
const ERA: Micros = 10 * MICROS_PER_SECOND;
const GAIN = 1 / 8;
const JITTER_GAIN = 1 / 16;
/** Mean distance of two independent normal samples, in deviations. */
const MEAN_DISTANCE = 1.128;

/** The zero of delays, shared by the paths of a portal: the first sample any of them took. */
export class DelayOrigin {
  #origin = 0;
  #isSet = false;

  /** The delay as a small signed number; `receivedAt` is the peer's clock modulo 2^32 µs. */
  relative(sentAt: Micros, receivedAt: number): Micros {
    const raw = (receivedAt - (sentAt % 0x1_0000_0000)) | 0;
    if (!this.#isSet) {
      this.#isSet = true;
      this.#origin = raw;
    }
    return (raw - this.#origin) | 0;
  }
}

export class OneWayDelay {
  /** The last sample, the smoothed value, and the deviation that is not queue: how far neighbouring samples lie apart. */
  latest: Micros = 0;
  smoothed: Micros = 0;
  jitter: Micros = 0;
  #isMeasured = false;
  #thisEra: Micros = Number.POSITIVE_INFINITY;
  #lastEra: Micros = Number.POSITIVE_INFINITY;
  #eraEnds: Micros = 0;

  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** The smallest delay of late: what the path takes without a queue. */
  get base(): Micros {
    return Math.min(this.#thisEra, this.#lastEra);
  }

  /** @param delay as `DelayOrigin.relative` gives it */
  update(now: Micros, delay: Micros): void {
    if (now >= this.#eraEnds) {
      this.#lastEra = this.#thisEra;
      this.#thisEra = Number.POSITIVE_INFINITY;
      this.#eraEnds = now + ERA;
    }
    this.#thisEra = Math.min(this.#thisEra, delay);
    if (this.#isMeasured) {
      this.jitter += JITTER_GAIN * (Math.abs(delay - this.latest) / MEAN_DISTANCE - this.jitter);
      this.smoothed += GAIN * (delay - this.smoothed);
    } else this.smoothed = delay;
    this.#isMeasured = true;
    this.latest = delay;
  }
}
