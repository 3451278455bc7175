// The sizes that the documents state, against the binary as it is now.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../../build/compile.ts";
import { ROOT } from "../rules/sources.ts";

/** Deviation of a stated size that is allowed, in MB. */
const TOLERANCE = 1;

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("the binary", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nc-size-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is as large as the documents say; a larger one needs a look at why, and new figures", () => {
    const outfile = join(folder, "netcombiner");
    const version = { version: "0.1.0", commit: "0123456789ab" };
    const megabytes = compile({ entry: join(ROOT, "src", "main.ts"), outfile, version }) / 1e6;
    const row = /^\| netcombiner_\S+_amd64\.deb \| [\d.]+ \| ([\d.]+) \|$/m;
    const stated = Number(row.exec(readFileSync(join(ROOT, "docs", "install.md"), "utf8"))?.[1]);
    expect(Math.abs(megabytes - stated)).toBeLessThan(TOLERANCE);
    const readme = /The Linux x64 binary is (\d+) MB/.exec(readFileSync(join(ROOT, "README.md"), "utf8"));
    expect(Math.abs(megabytes - Number(readme?.[1]))).toBeLessThan(TOLERANCE);
  });
});
