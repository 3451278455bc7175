// @hot
/**
 * One-way delay of a path, against a zero that is unknown but the same for all paths between the two portals: differences between
 * paths and changes over time are exact without any agreement of clocks, as all stamps of one direction come from the same two.
 */
import type { Micros } from "../clock.ts";
import { BaseDelay } from "../congestion/base-delay.ts";

/** Gain of the smoothed delay: the least, for jitter, and the most, for a change that clearly exceeds it. */
const GAIN = 1 / 8;
const MOST_GAIN = 1 / 2;
/** Deviations by which a sample must differ to get half of the full gain. */
const CLEAR = 8;
/** Time after which old samples say nothing, as a queue has drained meanwhile. */
const STALE: Micros = 200_000;
/** First samples, from which the jitter is learned faster. */
const FIRST = 8;
const JITTER_GAIN = 1 / 16;
/** Mean distance of two independent normal samples, in deviations. */
const MEAN_DISTANCE = 1.128;

/** The zero of delays, shared by the paths of a portal: the first sample any of them took. */
export class DelayOrigin {
  #origin = 0;
  #isSet = false;

  /** Returns the delay as a small signed number; `receivedAt` is by the peer's clock, modulo 2^32 µs. */
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
  /** The last sample, the smoothed value, and the jitter: the distance of neighbouring samples, which is no queue. */
  latest: Micros = 0;
  smoothed: Micros = 0;
  jitter: Micros = 0;
  /** Base delay: the smallest smoothed value of the last one or two eras, that of the path without a queue. */
  get base(): Micros {
    return Math.min(this.#base.value, this.smoothed);
  }

  readonly #base = new BaseDelay();
  #samples = 0;
  #updatedAt: Micros = 0;

  get isMeasured(): boolean {
    return this.#samples > 0;
  }

  /** @param delay as `DelayOrigin.relative` gives it */
  update(now: Micros, delay: Micros): void {
    const isFresh = this.#samples > 0 && now - this.#updatedAt < STALE;
    // The first samples are those of an idle path, however far apart.
    if (isFresh || (this.#samples > 0 && this.#samples < FIRST)) {
      const gain = Math.max(JITTER_GAIN, 1 / (this.#samples + 1));
      this.jitter += gain * (Math.abs(delay - this.latest) / MEAN_DISTANCE - this.jitter);
    }
    if (isFresh) {
      const off = Math.abs(delay - this.smoothed);
      const gain = Math.min(MOST_GAIN, Math.max(GAIN, off / (off + CLEAR * this.jitter + 1)));
      this.smoothed += gain * (delay - this.smoothed);
    } else this.smoothed = delay;
    this.#samples++;
    this.#updatedAt = now;
    this.#base.update(now, this.smoothed);
    this.latest = delay;
  }
}
