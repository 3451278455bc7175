/** A decoder under fuzz, and how it is driven. */
import { SeededRandom } from "../support/random.ts";

export interface Target {
  /** Makes a fresh state; returned is what tries one input and throws when something is wrong. */
  start(random: SeededRandom): (random: SeededRandom, input: Uint8Array) => void;
  /** Returns the next input. */
  draw(random: SeededRandom): Uint8Array;
}

/** Inputs tried on one state before a fresh one is made. */
export const INPUTS_PER_STATE = 250;

export class Finding extends Error {}

/** Tries `count` inputs. @throws Finding that names the seed and holds the input */
export function fuzz(name: string, target: Target, seed: number, count: number): void {
  for (let done = 0, round = 0; done < count; round++) {
    // Each round has a seed of its own, so that a finding can be repeated alone.
    const random = new SeededRandom(seed + round);
    const attempt = target.start(random);
    for (let i = 0; i < INPUTS_PER_STATE && done < count; i++, done++) {
      const input = target.draw(random);
      try {
        attempt(random, input);
      } catch (error) {
        const where = `--target ${name} --seed ${seed + round} --count ${INPUTS_PER_STATE}`;
        throw new Finding(`${where}, input ${i}: ${error}\n${input.toHex()}`, { cause: error });
      }
    }
  }
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
