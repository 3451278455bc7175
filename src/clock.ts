/**
 * Time as the core sees it: a number handed in, never read.
 * Only the composition root knows a real clock.
 */

/** Microseconds on a monotonic clock whose zero means nothing; an integer below 2^53. */
export type Micros = number;

export const MICROS_PER_MILLI = 1_000;
export const MICROS_PER_SECOND = 1_000_000;

/** "No deadline": later than every other time. */
export const NEVER: Micros = Number.POSITIVE_INFINITY;
