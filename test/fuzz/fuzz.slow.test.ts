// The share of fuzzing that every `npm test`, and so CI, has: from another seed than the check's, which looks at the first thousand.
import { describe, test } from "bun:test";
import { SEED } from "../support/seed.ts";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** Inputs for each target, slow ones included: 10 s for the slowest on an idle machine. */
const COUNT = 10_000;

describe(`much fuzz (NC_SEED=${SEED})`, () => {
  test.each(Object.entries(TARGETS))("%s keeps its word whatever comes", (name, target) => {
    fuzz(name, target, SEED + 1_000_000, COUNT);
  });
});
