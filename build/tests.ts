// Groups the tests and runs each group.
//
// A test that needs more than a second or a compiled binary is called `<name>.slow.test.ts`; one that needs real kernels
// in namespaces, hence root, lies in test/lab. Everything else is fast and part of every check.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { INCONCLUSIVE_FILE } from "../test/support/inconclusive.ts";

export interface TestSet {
  readonly name: string;
  includes(file: string): boolean;
}

const isLab = (file: string) => file.startsWith("test/lab/");
const isSlow = (file: string) => file.endsWith(".slow.test.ts");

export const FAST_TESTS: TestSet = { name: "fast", includes: (file) => !isLab(file) && !isSlow(file) };
export const SLOW_TESTS: TestSet = { name: "slow", includes: (file) => !isLab(file) && isSlow(file) };
export const LAB_TESTS: TestSet = { name: "lab", includes: isLab };

/** Longest a fast test may take before it counts as hung, in milliseconds: the slowest needs 2 s on an idle machine. */
const FAST_TIMEOUT = 60_000;

/** The same for tests that build binaries and wait for networks: the slowest needs a minute on an idle machine. */
const LONG_TIMEOUT = 600_000;

/**
 * Runs the files of `set` with `bun test`, one after the other; true when none failed or there are none. Tests that could
 * not be judged because others used the machine are listed and counted at the end.
 */
export function runTests(set: TestSet, flags: readonly string[] = []): boolean {
  const files = [...new Glob("test/**/*.test.ts").scanSync(".")].filter((file) => set.includes(file)).sort();
  console.log(`${set.name} tests: ${files.length} files`);
  if (files.length === 0) return true;
  const timeout = set === FAST_TESTS ? FAST_TIMEOUT : LONG_TIMEOUT;
  const command = [process.execPath, "test", `--timeout=${timeout}`, ...flags, ...files.map((file) => `./${file}`)];
  const folder = mkdtempSync(join(tmpdir(), "nc-tests-"));
  const noted = join(folder, "inconclusive");
  writeFileSync(noted, "");
  try {
    const env = { ...process.env, [INCONCLUSIVE_FILE]: noted };
    const { success } = Bun.spawnSync(command, { env, stdio: ["ignore", "inherit", "inherit"] });
    listInconclusive(readFileSync(noted, "utf8").split("\n").filter(Boolean));
    return success;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints what could not be judged, and its number as `bun test` prints those of the passed and failed. */
function listInconclusive(tests: readonly string[]): void {
  if (tests.length === 0) return;
  console.log("The machine was busy: these could not be judged, and count neither as passed nor as failed.");
  for (const test of tests) console.log(`(inconclusive) ${test}`);
  console.log(` ${tests.length} inconclusive\n`);
}
