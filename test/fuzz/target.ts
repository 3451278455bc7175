/** A decoder under fuzz. */
import type { SeededRandom } from "../support/random.ts";
import type { Budget } from "./budget.ts";

export interface Target {
  /** Makes a fresh state, and returns what tries one input and throws when something is wrong. */
  start(random: SeededRandom): (random: SeededRandom, input: Uint8Array) => void;
  /** Returns the next input. */
  draw(random: SeededRandom): Uint8Array;
  /** Cost that an input may have; default: a decoder's. */
  readonly budget?: Budget;
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
