import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../rules/sources.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nc-ci-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs .ci/run with an `npm` that prints `output` and ends with `status`. */
function ciAfter(output: string, status: number) {
  writeFileSync(join(folder, "output"), output);
  writeFileSync(join(folder, "npm"), `#!/bin/sh\ncat "${join(folder, "output")}" >&2\nexit ${status}\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const result = Bun.spawnSync(["bash", join(ROOT, ".ci", "run")], { env, stdin: "ignore" });
  return { last: result.stdout.toString().trimEnd().split("\n").at(-1), isGood: result.success };
}

describe(".ci/run", () => {
  test("adds up the sets of tests", () => {
    const output = " 183 pass\n 0 fail\n 2289 expect() calls\n\n\x1b[32m 7 pass\x1b[0m\n\x1b[0m\x1b[2m 0 fail\x1b[0m\n";
    expect(ciAfter(output, 0)).toEqual({ last: "190 passed, 0 failed", isGood: true });
  });

  test("counts what was inconclusive neither as passed nor as failed", () => {
    const output = " 116 pass\n 0 fail\n(inconclusive) 3 pass by: 1.00, less than 2.00\n 7 inconclusive\n";
    expect(ciAfter(output, 0)).toEqual({ last: "109 passed, 0 failed", isGood: true });
  });

  test("fails when a test failed", () => {
    expect(ciAfter(" 3 pass\n 2 fail\n", 1)).toEqual({ last: "3 passed, 2 failed", isGood: false });
  });

  test("fails when the run broke off", () => {
    expect(ciAfter(" 3 pass\n 0 fail\nsegmentation fault\n", 139)).toEqual({
      last: "3 passed, 1 failed",
      isGood: false,
    });
  });

  test("fails when nothing was run", () => {
    expect(ciAfter("no tests\n", 0)).toEqual({ last: "0 passed, 1 failed", isGood: false });
  });

  test("is not taken in by sentences that talk of passing", () => {
    expect(ciAfter("(pass) 12 pass the gate\n 1 pass\n 0 fail\n", 0)).toEqual({
      last: "1 passed, 0 failed",
      isGood: true,
    });
  });
});
