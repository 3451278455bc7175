import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import biomeSettings from "../biome.jsonc";
import { ROOT, sourceFiles } from "./rules/sources.ts";

const MAX_LINES = 400;

/** Files that may be longer, each with the reason why splitting it would make it worse. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const HOT_MARK = /^\/\/ @hot\b/m;
const files = sourceFiles(["src", "ffi", "build", "test", "packaging"]);

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

interface LintOverride {
  readonly includes: readonly string[];
  readonly linter: {
    readonly rules: {
      readonly complexity?: {
        readonly noExcessiveLinesPerFunction?: { readonly options?: { readonly maxLines: number } };
      };
    };
  };
}

/** Files named in the lint override that lets hot functions be long. */
function hotOverride(): readonly string[] {
  const override = (biomeSettings.overrides as LintOverride[]).find(
    (entry) => entry.linter.rules.complexity?.noExcessiveLinesPerFunction?.options?.maxLines === 120,
  );
  if (!override) throw new Error("biome.jsonc has no override for hot files");
  return override.includes;
}

describe("every source file", () => {
  test(`has at most ${MAX_LINES} lines, or a reason`, () => {
    const long = files.filter((file) => lineCount(file.text) > MAX_LINES).map((file) => file.path);
    expect(long.filter((path) => !(path in LONG_FILES))).toEqual([]);
    expect(Object.keys(LONG_FILES).filter((path) => !long.includes(path))).toEqual([]);
  });

  test("has a name in kebab-case", () => {
    const isKebab = (path: string) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(path.split("/").at(-1) ?? "");
    expect(isKebab("src/packet-pool.ts") && isKebab("a.slow.test.ts")).toBe(true);
    expect(isKebab("src/packetPool.ts") || isKebab("packet_pool.ts") || isKebab("a--b.ts")).toBe(false);
    expect(files.filter((file) => !isKebab(file.path)).map((file) => file.path)).toEqual([]);
  });

  test("may have long functions only when it says that it is hot", () => {
    const hot = files.filter((file) => HOT_MARK.test(file.text)).map((file) => file.path);
    expect(hotOverride().filter((path) => !hot.includes(path))).toEqual([]);
  });
});

describe("the packages", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

  test("are pinned exactly", () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies }) as string[];
    expect(versions.length).toBeGreaterThan(0);
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("are at run time those that were decided", () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual([
      "@noble/ciphers",
      "@noble/hashes",
      "citty",
      "qr",
      "valibot",
    ]);
  });

  test("are locked by hash and without naming a registry", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const packages = Object.entries(lock.packages as Record<string, { integrity?: string; resolved?: string }>);
    const installed = packages.filter(([place]) => place !== "");
    expect(installed.length).toBeGreaterThan(0);
    expect(installed.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(installed.filter(([, entry]) => !entry.integrity?.startsWith("sha512-"))).toEqual([]);
  });
});
