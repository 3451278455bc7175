import { expect, test } from "bun:test";
import { randomRun } from "../sim/chance.ts";

test("the world in which two idle paths copied a retransmitted packet back and forth without end", () => {
  expect(() => randomRun(100_049)).not.toThrow();
});
