/** Links that parts name in passing. */
import { MICROS_PER_MILLI } from "../../../src/clock.ts";
import { DEFAULT_SHAPE, type LinkShape } from "../../sim/link-model.ts";

/** Returns an access line: Mbit/s, one-way delay in ms, and how long its queue is at that rate, in ms. */
export function access(rate: number, delay: number, queue = 100): LinkShape {
  return {
    ...DEFAULT_SHAPE,
    rate: rate * 1e6,
    delay: delay * MICROS_PER_MILLI,
    // In bytes, as modems have it: at a lower rate the same queue lasts longer.
    queueBytes: (rate * 1e6 * queue) / 8_000,
  };
}

/** Returns the round trip of an idle link, milliseconds. */
export function idleRoundTrip(links: readonly LinkShape[]): number {
  return (2 * Math.min(...links.map(({ delay }) => delay))) / MICROS_PER_MILLI;
}
