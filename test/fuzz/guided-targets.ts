/** Targets for guided fuzzing: pure decoders, which Node can run as well as Bun. */
import { CONTROL } from "./control.ts";
import { DECODERS } from "./decoders.ts";
import { FRAGMENTS } from "./fragments.ts";
import { noise } from "./mutate.ts";
import type { Target } from "./target.ts";
import { TEXTS } from "./texts.ts";

export const GUIDED: Readonly<Record<string, Target>> = {
  ...DECODERS,
  control: CONTROL,
  ...TEXTS,
  fragments: FRAGMENTS,
};

/** A fault behind four bytes that must be right one after the other: only who sees each step gets there. */
const maze: Target = {
  draw: (random) => noise(random, 12),
  start: () => (_random, input) => {
    if (input[0] !== 0x6e) return;
    if (input[1] !== 0x63) return;
    if (input[2] !== 0x21) return;
    if (input[3] === 0x07) throw new Error("the end of the maze");
  },
};

/** Targets to try the search itself. */
export const TRIALS: Readonly<Record<string, Target>> = { maze };
