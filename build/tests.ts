// Which tests belong together, and how they are run.
//
// A test that needs more than a second or a compiled binary is called `<name>.slow.test.ts`; one that needs real kernels
// in namespaces, hence root, lies in test/lab. Everything else is fast and part of every check.

import { Glob } from "bun";

export interface TestSet {
  readonly name: string;
  includes(file: string): boolean;
}

const isLab = (file: string) => file.startsWith("test/lab/");
const isSlow = (file: string) => file.endsWith(".slow.test.ts");

export const FAST_TESTS: TestSet = { name: "fast", includes: (file) => !isLab(file) && !isSlow(file) };
export const SLOW_TESTS: TestSet = { name: "slow", includes: (file) => !isLab(file) && isSlow(file) };
export const LAB_TESTS: TestSet = { name: "lab", includes: isLab };

/** Longest a fast test may take before it counts as failed, in milliseconds. */
const FAST_TIMEOUT = 10_000;

/** Tests of slow and lab sets build binaries and wait for networks; they set shorter limits of their own where it matters. */
const LONG_TIMEOUT = 180_000;

/** Runs the files of `set` with `bun test`, one after the other; true when all passed or there are none. */
export function runTests(set: TestSet, flags: readonly string[] = []): boolean {
  const files = [...new Glob("test/**/*.test.ts").scanSync(".")].filter((file) => set.includes(file)).sort();
  console.log(`${set.name} tests: ${files.length} files`);
  if (files.length === 0) return true;
  const timeout = set === FAST_TESTS ? FAST_TIMEOUT : LONG_TIMEOUT;
  const command = [process.execPath, "test", `--timeout=${timeout}`, ...flags, ...files.map((file) => `./${file}`)];
  return Bun.spawnSync(command, { stdio: ["ignore", "inherit", "inherit"] }).success;
}
