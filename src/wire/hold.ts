// @hot
/**
 * HOLD: how long the receiver should hold early packets of ordered flows.
 *
 *     | 5:4 0:4 | time:16 |     in units of 64 µs; 0 for no resequencing                                 3
 */
import type { Micros } from "../clock.ts";
import { MESSAGE } from "./message-types.ts";

export const HOLD_SIZE = 3;
/** Unit of the time on the wire, µs. */
const UNIT: Micros = 64;
const MAX_UNITS = 0xffff;
/** Longest time that is sent or accepted, µs: a host's own retransmission timeout follows soon after. */
export const LONGEST_HOLD: Micros = 500_000;

/** Writes the time, rounded up to the unit. */
export function writeHold(view: DataView, at: number, time: Micros): number {
  view.setUint8(at, MESSAGE.HOLD << 4);
  view.setUint16(at + 1, Math.min(MAX_UNITS, Math.ceil(time / UNIT)));
  return at + HOLD_SIZE;
}

/** Returns the time, at most `LONGEST_HOLD`. */
export function holdTime(view: DataView, at: number): Micros {
  return Math.min(LONGEST_HOLD, view.getUint16(at + 1) * UNIT);
}
