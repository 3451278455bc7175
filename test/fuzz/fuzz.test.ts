import { describe, expect, test } from "bun:test";
import { SEED } from "../support/seed.ts";
import { DECODER_BUDGET } from "./budget.ts";
import { processorTime } from "./cost.ts";
import { Finding, fuzz } from "./fuzz.ts";
import { SLOW, TARGETS } from "./targets.ts";

/** Inputs for each target in every check; the slow ones get fewer. `npm test` tries more of each: see fuzz.slow.test.ts. */
const COUNT = Number(process.env.NC_FUZZ ?? 1_000);

describe(`fuzz (NC_SEED=${SEED})`, () => {
  test.each(Object.entries(TARGETS))("%s keeps its word whatever comes", (name, target) => {
    fuzz(name, target, SEED, SLOW.test(name) ? Math.ceil(COUNT / 8) : COUNT);
  });

  test("finds an input that costs more processor time than its size allows", () => {
    const slow = {
      draw: () => new Uint8Array(2),
      start: () => () => {
        for (const end = processorTime() + 2 * DECODER_BUDGET.micros; processorTime() < end; );
      },
    };
    expect(() => fuzz("slow", slow, 5, 10)).toThrow(/--target slow --seed 5 .*input 0: took \d+ µs, more than/);
  });

  test("finds inputs that make a state keep more than their size allows", () => {
    const greedy = {
      draw: () => new Uint8Array(2),
      start: () => {
        const hoard: Uint8Array[] = [];
        return () => void hoard.push(new Uint8Array(DECODER_BUDGET.kept / 5));
      },
    };
    expect(() => fuzz("greedy", greedy, 5, 10)).toThrow(/10 inputs of 20 bytes made it keep \d+ bytes/);
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
