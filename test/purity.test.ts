import { describe, expect, test } from "bun:test";
import { codeOnly, sourceFiles } from "./rules/sources.ts";
import { isPure } from "./rules/zones.ts";

/** Names through which the world, the time or chance would come in. */
const FORBIDDEN = [
  "Bun",
  "process",
  "console",
  "globalThis",
  "Date",
  "performance",
  "crypto",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "queueMicrotask",
  "Promise",
  "Worker",
  "Atomics",
  "WeakRef",
  "FinalizationRegistry",
  "eval",
  "Function",
  "require",
];

// A property or a method of such a name is not the global, a spread of the global is.
const GLOBAL = new RegExp(String.raw`(?<![\w$]|(?<!\.\.)\.|\?\.)(?:${FORBIDDEN.join("|")})\b(?!\s*\??:)`, "g");
const SYNTAX = /\bMath\s*\.\s*random\b|\bimport\s*\.\s*meta\b|\basync\b|\bawait\b|(?<![\w$.])import\s*\(/g;

/** A system's library rounds these as it likes; sums, products, quotients and square roots are the same everywhere (IEEE 754). */
const INEXACT = /\bMath\s*\.\s*(?:pow|exp|expm1|log|log10|log1p|cbrt|hypot|a?(?:sin|cos|tan)h?|atan2)\b/g;

/** The forbidden things in `text`, each with its line: `3: Date`. */
function impurities(text: string): string[] {
  return codeOnly(keepingLines(text))
    .split("\n")
    .flatMap((line, index) =>
      [...line.matchAll(GLOBAL), ...line.matchAll(SYNTAX)].map(([word]) => `${index + 1}: ${word}`),
    );
}

/** A comment over several lines is shortened to its line breaks, so that line numbers stay right. */
function keepingLines(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

describe("the pure zone", () => {
  test("reads no clock, rolls no dice and does no I/O", () => {
    const pure = sourceFiles(["src"]).filter((file) => isPure(file.path));
    expect(pure.length).toBeGreaterThan(0);
    expect(pure.flatMap((file) => impurities(file.text).map((found) => `${file.path}:${found}`))).toEqual([]);
  });
});

describe("the core and its simulator", () => {
  test("compute the same on every machine, so that a seed replays there", () => {
    const replayed = sourceFiles(["src", "test/sim"]).filter(
      (file) => isPure(file.path) || file.path.startsWith("test/sim/"),
    );
    const found = replayed.flatMap(({ path, text }) =>
      [...codeOnly(text).matchAll(INEXACT)].map(([word]) => `${path}: ${word}`),
    );
    expect(found).toEqual([]);
  });
});

describe("the rule", () => {
  test.each([
    "const now = Date.now();",
    "const at = new Date();",
    "const now = performance.now();",
    "process.exit(1);",
    "const { env } = process;",
    "console.log(1);",
    "const r = Math.random();",
    "setTimeout(() => {}, 1);",
    "async function f() {}",
    "const f = async () => 1;",
    "const text = `${Date.now()}`;",
    "const copy = { ...process };",
    "Bun.nanoseconds();",
    "const here = import.meta.dir;",
    'const module = import("./x.ts");',
    "crypto.getRandomValues(a);",
  ])("complains of %s", (text) => {
    expect(impurities(text).length).toBeGreaterThan(0);
  });

  test.each([
    "// Date.now() would be wrong here",
    "/* process, console */ const a = 1;",
    'throw new Error("await the process of Date");',
    "this.process(packet);",
    "const updateDate = 1;",
    "interface A { process: number; performance?: number }",
    "type Random = (out: Uint8Array) => void;",
    "const x = /Date|process/.test(y);",
    "const asyncNumber = 3;",
  ])("has nothing against %s", (text) => {
    expect(impurities(text)).toEqual([]);
  });

  test("names the line", () => {
    expect(impurities("/* one\ntwo */\nconst a = Date.now();")).toEqual(["3: Date"]);
  });
});
