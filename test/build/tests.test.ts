import { expect, test } from "bun:test";
import { FAST_TESTS, LAB_TESTS, SLOW_TESTS } from "../../build/tests.ts";

test.each([
  ["test/path/pacer.test.ts", "fast"],
  ["test/architecture.test.ts", "fast"],
  ["test/build/compile.slow.test.ts", "slow"],
  ["test/lab/cut.test.ts", "lab"],
  ["test/lab/hours.slow.test.ts", "lab"],
])("%s belongs to the %s tests alone", (file, name) => {
  const sets = [FAST_TESTS, SLOW_TESTS, LAB_TESTS].filter((set) => set.includes(file));
  expect(sets.map((set) => set.name)).toEqual([name]);
});
