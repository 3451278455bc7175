import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "../rules/sources.ts";

/** Every file that a shell runs. */
const scripts = [...new Glob("{packaging,.ci}/**").scanSync({ cwd: ROOT, dot: true })]
  .filter((path) => readFileSync(join(ROOT, path), "latin1").startsWith("#!"))
  .sort();

/** The language that ksh-like shells and busybox's have in common. */
const DIALECT: Readonly<Record<string, string>> = { "#!/bin/sh": "sh", "#!/usr/bin/env bash": "bash" };

function dialect(path: string): string {
  const [line = ""] = readFileSync(join(ROOT, path), "latin1").split("\n", 1);
  return DIALECT[line] ?? "dash";
}

describe("every script", () => {
  test("was found", () => {
    expect(scripts).toContain("packaging/debian/postinst");
  });

  test.skipIf(Bun.which("shellcheck") === null)("passes shellcheck", () => {
    const wrong = scripts.flatMap((path) => {
      const result = Bun.spawnSync(["shellcheck", "-s", dialect(path), join(ROOT, path)]);
      return result.success ? [] : [result.stdout.toString()];
    });
    expect(wrong).toEqual([]);
  });
});
