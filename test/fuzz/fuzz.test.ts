import { describe, expect, test } from "bun:test";
import { SEED } from "../support/seed.ts";
import { Finding, fuzz } from "./target.ts";
import { SLOW, TARGETS } from "./targets.ts";

/** Inputs for each target; the slow ones get fewer. */
const COUNT = Number(process.env.NC_FUZZ ?? 1_500);

describe(`fuzz (NC_SEED=${SEED})`, () => {
  test.each(Object.entries(TARGETS))("%s keeps its word whatever comes", (name, target) => {
    fuzz(name, target, SEED, SLOW.test(name) ? Math.ceil(COUNT / 8) : COUNT);
  });

  test("finds a decoder that is wrong, and tells how to see it again", () => {
    const wrong = {
      draw: () => Uint8Array.of(1, 2),
      start: () => (_random: unknown, input: Uint8Array) => {
        if (input[1] === 2) throw new Error("boom");
      },
    };
    expect(() => fuzz("wrong", wrong, 5, 10)).toThrow(Finding);
    expect(() => fuzz("wrong", wrong, 5, 10)).toThrow(/--target wrong --seed 5 .*boom\n0102/s);
  });
});
