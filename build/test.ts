// npm test: every test. Without root the lab is left out, and the last lines say so.

import { FAST_TESTS, LAB_TESTS, runTests, SLOW_TESTS } from "./tests.ts";

const isRoot = process.getuid?.() === 0;
const canUseLab = isRoot && process.platform === "linux";
const sets = canUseLab ? [FAST_TESTS, SLOW_TESTS, LAB_TESTS] : [FAST_TESTS, SLOW_TESTS];

const failed = sets.filter((set) => !runTests(set));

if (!canUseLab) {
  console.log("skipped: the lab tests (test/lab) need Linux and root, for they make network namespaces.");
  console.log("run them with: sudo npm test");
}
if (failed.length > 0) {
  console.error(`failed: ${failed.map((set) => set.name).join(", ")}`);
  process.exit(1);
}
