import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../rules/sources.ts";

const UNIT = readFileSync(join(ROOT, "packaging/systemd/netcombiner@.service"), "utf8");

/** Returns every value of `key`, words split. */
function values(key: string): string[] {
  return [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].flatMap(([, value]) => (value as string).split(" "));
}

describe("netcombiner@.service", () => {
  test("is started again whatever happens, and does not wait for a network", () => {
    expect(values("Restart")).toEqual(["always"]);
    expect(values("StartLimitIntervalSec")).toEqual(["0"]);
    expect(UNIT).not.toMatch(/^(After|Wants|Requires)=.*network-online/m);
  });

  test("leaves the runtime's compiler alone", () => {
    expect(values("MemoryDenyWriteExecute")).toEqual([]);
  });

  test("lets the program put its own filter on top, which @system-service of systemd 252 would refuse", () => {
    expect(values("SystemCallFilter")).toEqual(["@system-service", "seccomp"]);
  });

  test("takes nothing from the environment that would change the runtime", () => {
    const dangerous = ["BUN_OPTIONS", "BUN_BE_BUN", "BUN_INSPECT", "BUN_INSPECT_CONNECT_TO", "NODE_OPTIONS"];
    expect(values("UnsetEnvironment")).toEqual(expect.arrayContaining(dangerous));
  });

  test("keeps the folder that all tunnels share", () => {
    expect(values("RuntimeDirectory")).toEqual(["netcombiner"]);
    expect(values("RuntimeDirectoryPreserve")).toEqual(["yes"]);
  });
});

describe.skipIf(Bun.which("systemd-analyze") === null)("systemd-analyze", () => {
  let folder = "";
  let unit = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nc-unit-"));
    unit = join(folder, "netcombiner@.service");
    // The program need not be installed for the unit to be right.
    writeFileSync(unit, UNIT.replaceAll("=/usr/bin/netcombiner", "=/bin/true"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const analyze = (...words: string[]) => {
    const result = Bun.spawnSync(["systemd-analyze", "--no-pager", ...words, unit]);
    return { exitCode: result.exitCode, output: `${result.stdout}${result.stderr}` };
  };

  test("finds nothing wrong, not even to warn of", () => {
    expect(analyze("--man=no", "--recursive-errors=no", "verify")).toEqual({ exitCode: 0, output: "" });
  });

  test("finds little exposure", () => {
    const { exitCode, output } = analyze("security", "--offline=true", "--threshold=30");
    expect({ exitCode, verdict: output.match(/exposure level.*?: ([\d.]+ \w+)/)?.[1] }).toMatchObject({ exitCode: 0 });
  });
});
