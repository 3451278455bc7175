// npm run check: format, lint, types, known vulnerabilities of npm packages and the fast tests. All are run, so one round shows
// everything that is wrong.

import { audit } from "./audit.ts";
import { FAST_TESTS, runTests } from "./tests.ts";

const CHECKS: readonly { readonly name: string; readonly run: () => boolean }[] = [
  { name: "biome", run: () => succeeds(["biome", "check", "--error-on-warnings", "--colors=off", "."]) },
  { name: "tsc", run: () => succeeds(["tsc", "--noEmit", "--pretty", "false"]) },
  { name: "audit", run: audit },
  { name: "tests", run: () => runTests(FAST_TESTS, ["--only-failures"]) },
];

function succeeds(command: string[]): boolean {
  return Bun.spawnSync(command, { stdio: ["ignore", "inherit", "inherit"] }).success;
}

const failed = CHECKS.filter((check) => {
  const started = Bun.nanoseconds();
  const isGood = check.run();
  const seconds = ((Bun.nanoseconds() - started) / 1e9).toFixed(1);
  console.log(`check: ${check.name} ${isGood ? "good" : "FAILED"} (${seconds} s)\n`);
  return !isGood;
});
if (failed.length > 0) {
  console.error(`check: failed: ${failed.map((check) => check.name).join(", ")}`);
  process.exit(1);
}
