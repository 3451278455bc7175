// @hot
/**
 * One-way delay of a path, against a zero that is unknown but the same for all paths between the two portals: differences between
 * paths and changes over time are exact without any agreement of clocks, as all stamps of one direction come from the same two.
 */
import type { Micros } from "../clock.ts";

/** Of the smoothed delay: the least, for what is jitter, and the most, for what clearly is more. */
const GAIN = 1 / 8;
const MOST_GAIN = 1 / 2;
/** A change of so many deviations counts half as jitter. */
const CLEAR = 8;
/** After so long without a sample the old ones say nothing: a queue has drained meanwhile. */
const STALE: Micros = 200_000;
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
  #updatedAt: Micros = 0;

  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** @param delay as `DelayOrigin.relative` gives it */
  update(now: Micros, delay: Micros): void {
    if (this.#isMeasured && now - this.#updatedAt < STALE) {
      const off = Math.abs(delay - this.smoothed);
      const gain = Math.min(MOST_GAIN, Math.max(GAIN, off / (off + CLEAR * this.jitter + 1)));
      this.jitter += JITTER_GAIN * (Math.abs(delay - this.latest) / MEAN_DISTANCE - this.jitter);
      this.smoothed += gain * (delay - this.smoothed);
    } else this.smoothed = delay;
    this.#updatedAt = now;
    this.#isMeasured = true;
    this.latest = delay;
  }
}
