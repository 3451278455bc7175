/** Drives a decoder under fuzz: what is wrong, costs too much or keeps too much is a finding. */
import { SeededRandom } from "../support/random.ts";
import { allowedBytes, allowedMicros, DECODER_BUDGET } from "./budget.ts";
import { keptBytes, processorTime } from "./cost.ts";
import type { Target } from "./target.ts";

/** Inputs tried on one state before a fresh one is made. */
export const INPUTS_PER_STATE = 250;

/** Times that a costly input is tried again: the least counts, for a collection or a compilation may fall into any. */
const SECOND_TRIES = 3;

/** The state of the round, which must not be collected before what it keeps is counted. */
let held: unknown;

export class Finding extends Error {}

/** Tries `count` inputs. @throws Finding that names the seed and holds the input */
export function fuzz(name: string, target: Target, seed: number, count: number): void {
  for (let done = 0, round = 0; done < count; round++) {
    const inputs = Math.min(INPUTS_PER_STATE, count - done);
    // Each round has a seed of its own, so that a finding can be repeated alone.
    tryRound(name, target, seed + round, inputs);
    done += inputs;
  }
}

/** Tries inputs on one state; each must be handled well and within its budget, and all together keep no more than theirs. */
function tryRound(name: string, target: Target, seed: number, inputs: number): void {
  const budget = target.budget ?? DECODER_BUDGET;
  const where = `--target ${name} --seed ${seed} --count ${INPUTS_PER_STATE}`;
  const random = new SeededRandom(seed);
  const attempt = target.start(random);
  held = attempt;
  const before = keptBytes();
  let bytes = 0;
  for (let i = 0; i < inputs; i++) {
    const input = target.draw(random);
    bytes += input.length;
    const began = processorTime();
    try {
      attempt(random, input);
    } catch (error) {
      throw new Finding(`${where}, input ${i}: ${error}\n${input.toHex()}`, { cause: error });
    }
    const allowed = allowedMicros(budget, input.length);
    if (processorTime() - began <= allowed) continue;
    const least = leastMicros(target, seed, i);
    if (least > allowed)
      throw new Finding(`${where}, input ${i}: took ${least} µs, more than ${allowed}\n${input.toHex()}`);
  }
  const kept = held === attempt ? keptBytes() - before : 0;
  if (kept > allowedBytes(budget, bytes))
    throw new Finding(`${where}: ${inputs} inputs of ${bytes} bytes made it keep ${kept} bytes`);
}

/** Returns the least processor time of input `index` of a round, tried anew on states of its own. */
function leastMicros(target: Target, seed: number, index: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < SECOND_TRIES; tries++) {
    const random = new SeededRandom(seed);
    const attempt = target.start(random);
    for (let i = 0; i < index; i++) attempt(random, target.draw(random));
    const input = target.draw(random);
    const began = processorTime();
    attempt(random, input);
    least = Math.min(least, processorTime() - began);
  }
  return least;
}
