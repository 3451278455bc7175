import { expect, test } from "bun:test";
import { randomRun } from "../sim/chance.ts";

/** A whole simulated run is arithmetic alone: on a loaded machine it takes long, and only a run without end is a failure. */
const TIMEOUT_MS = 120_000;

test(
  "the world in which two idle paths reinjected a retransmitted packet back and forth without end",
  () => {
    expect(() => randomRun(100_049)).not.toThrow();
  },
  TIMEOUT_MS,
);
