import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, STRICT_FLAG } from "../../build/compile.ts";
import { PAGE, PAGE_POLICY } from "../../src/daemon/status/page.ts";

const ENTRY = join(import.meta.dir, "fixtures", "program.ts");
const VERSION = { version: "1.2.3", commit: "0123456789ab" };

let folder = "";
let binary = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nc-compile-"));
  binary = join(folder, "program");
  compile({ entry: ENTRY, outfile: binary, version: VERSION });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the compiled program in a folder that holds `files`. */
function runBeside(files: Record<string, string>, env: Record<string, string> = {}) {
  const cwd = mkdtempSync(join(folder, "cwd-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const result = Bun.spawnSync([binary], { cwd, env: { PATH: process.env.PATH ?? "", ...env }, stdin: "ignore" });
  return { exitCode: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

const PRELOAD = { "preload.js": "globalThis.ncPreloaded = 'yes'; console.log('PRELOADED');" };

describe("a compiled binary", () => {
  test("runs, with its worker, its libraries and its version", () => {
    const { exitCode, stdout } = runBeside({});
    expect(JSON.parse(stdout)).toEqual({
      version: "1.2.3",
      commit: "0123456789ab",
      dotenv: "none",
      preload: "none",
      worker: "hello from the worker",
      digest: 64,
      execArgv: [STRICT_FLAG],
    });
    expect(exitCode).toBe(0);
  });

  test("takes nothing from files in the folder it is started in", () => {
    const { stdout } = runBeside({
      ...PRELOAD,
      ".env": "NC_FROM_DOTENV=yes\n",
      "bunfig.toml": 'preload = ["./preload.js"]\n',
      "package.json": '{ "type": "commonjs" }',
      "tsconfig.json": '{ "compilerOptions": { "paths": { "valibot": ["./preload.js"] } } }',
    });
    expect(JSON.parse(stdout)).toMatchObject({ dotenv: "none", preload: "none" });
  });

  test.each(["--preload=./preload.js", "-r ./preload.js", "--config=./bunfig.toml"])(
    "runs no file that BUN_OPTIONS=%s names",
    (options) => {
      const files = { ...PRELOAD, "bunfig.toml": 'preload = ["./preload.js"]\n' };
      const { exitCode, stdout } = runBeside(files, { BUN_OPTIONS: options });
      expect(stdout).not.toContain("PRELOADED");
      expect(exitCode).not.toBe(0);
    },
  );

  test("is a plain runtime with BUN_BE_BUN, which docs/security.md says", () => {
    const { stdout } = runBeside({}, { BUN_BE_BUN: "1" });
    expect(stdout).not.toContain("1.2.3");
    const run = Bun.spawnSync([binary, "-e", "console.log(1 + 1)"], { env: { BUN_BE_BUN: "1" }, stdin: "ignore" });
    expect(run.stdout.toString()).toBe("2\n");
    expect(readFileSync(join(import.meta.dir, "../../docs/security.md"), "utf8")).toContain("BUN_BE_BUN=1");
  });
});

describe("compile", () => {
  test("puts the status page into the binary, with the policy that lets it run", () => {
    const place = mkdtempSync(join(folder, "page-"));
    const program = join(place, "page");
    compile({ entry: join(import.meta.dir, "fixtures", "page.ts"), outfile: program, version: VERSION });
    const { stdout } = Bun.spawnSync([program], { cwd: place, env: {}, stdin: "ignore" });
    expect(JSON.parse(stdout.toString())).toEqual({ page: PAGE, policy: PAGE_POLICY });
  });

  test("writes the same bytes again, whatever the file is called", () => {
    const again = join(folder, "again");
    compile({ entry: ENTRY, outfile: again, version: VERSION });
    expect(readFileSync(again).equals(readFileSync(binary))).toBe(true);
  });

  test("keeps the older binary and leaves no litter when the sources are wrong", () => {
    const place = join(folder, "wrong");
    mkdirSync(place);
    const entry = join(place, "entry.ts");
    const outfile = join(place, "program");
    writeFileSync(entry, 'import { missing } from "./missing.ts"; missing();');
    writeFileSync(outfile, "older");
    expect(() => compile({ entry, outfile, version: VERSION })).toThrow("missing.ts");
    expect(readFileSync(outfile, "utf8")).toBe("older");
    expect(readdirSync(place).sort()).toEqual(["entry.ts", "program"]);
    expect(existsSync(binary)).toBe(true);
  });
});
