import { expect, test } from "bun:test";
import { join } from "node:path";
import { TEST_MILLIS } from "../support/limits.ts";

/** Ten times what the search has needed; by chance alone it were one in four thousand million. */
const COUNT = "50000";

test.skipIf(Bun.which("node") === null)(
  "guided fuzzing finds what lies behind one condition after the other",
  () => {
    const words = ["--guided", "--target", "maze", "--count", COUNT, "--seed", "4725"];
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, join(import.meta.dir, "run.ts"), ...words]);
    expect(stderr.toString()).toMatch(
      /--guided --target maze --seed 4725, input \d+: Error: the end of the maze\n6e632107/,
    );
    expect(exitCode).toBe(1);
  },
  TEST_MILLIS,
);
