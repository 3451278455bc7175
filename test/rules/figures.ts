/**
 * Figures in documents that the sources decide. A document writes `[80 ms][outlook.SHORTEST_PATIENCE]` and, at its end, where the
 * constant stands: `[outlook.SHORTEST_PATIENCE]: ../src/portal/sending/outlook.ts`. A further word names a member: `[50][limits.ANSWERS.burst]`.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from "../../src/clock.ts";
import { ROOT, withoutComments } from "./sources.ts";

export interface Figure {
  readonly text: string;
  /** `file.CONSTANT` or `file.CONSTANT.member`. */
  readonly label: string;
}

const LABEL = String.raw`[a-z0-9-]+\.[A-Z][A-Z0-9_]*(?:\.[A-Za-z0-9_]+)*`;

/** Returns the figures of a document in order; what is quoted as code is none. */
export function figuresOf(text: string): Figure[] {
  const found = text.replaceAll(/`[^`\n]*`/g, "").matchAll(new RegExp(String.raw`\[([^\][]+)\]\[(${LABEL})\]`, "g"));
  return [...found].map(([, figure = "", label = ""]) => ({ text: figure.replaceAll(/\s+/g, " "), label }));
}

/** Where the constants of a document stand, by label: paths relative to the root. */
export function constantsOf(path: string, text: string): Map<string, string> {
  const found = text.matchAll(new RegExp(String.raw`^\[(${LABEL})\]: (\S+)$`, "gm"));
  return new Map([...found].map(([, label = "", target = ""]) => [label, join(dirname(path), target)]));
}

/** Returns what is wrong with a figure, undefined for nothing. */
export function figureFault({ text, label }: Figure, file: string | undefined): string | undefined {
  if (file === undefined) return `[${text}][${label}]: the document does not say where ${label} stands`;
  const [stem = "", name = "", ...members] = label.split(".");
  if (!file.endsWith(`/${stem}.ts`)) return `[${label}]: ${file} is another file`;
  const value = constantIn(readFileSync(join(ROOT, file), "utf8"), name, members);
  if (value === undefined) return `[${text}][${label}]: ${file} has no such constant; was it renamed?`;
  if (readings(text).some((reading) => Math.abs(reading - value) <= 1e-9 * Math.abs(value))) return undefined;
  return `[${text}][${label}]: ${file} says ${value}`;
}

/** Returns the number a constant of a source file stands for; undefined if there is none. */
export function constantIn(source: string, name: string, members: readonly string[] = []): number | undefined {
  const whole = declaredIn(withoutComments(source), name);
  const value = members.reduce((at, member) => (at as Record<string, unknown> | undefined)?.[member], whole);
  return typeof value === "number" ? value : undefined;
}

function declaredIn(source: string, name: string): unknown {
  const declared = source.match(new RegExp(String.raw`^(?:export )?const ${name}\b[^=]*= ([^;]*);`, "m"))?.[1];
  if (declared === undefined) return undefined;
  const expression = declared.replaceAll(/ as const\b/g, "");
  const names = [...new Set(expression.match(/\b[A-Z][A-Z0-9_]*\b/g) ?? [])];
  const values = names.map((other) => KNOWN[other] ?? declaredIn(source, other));
  try {
    return new Function(...names, `return (${expression})`)(...values);
  } catch {
    // Not a constant expression: no figure of a document can stand for it.
    return undefined;
  }
}

const KNOWN: Record<string, number> = { MICROS_PER_MILLI, MICROS_PER_SECOND };

const UNITS: Record<string, readonly number[]> = {
  "": [1],
  "%": [1 / 100],
  µs: [1],
  ms: [MICROS_PER_MILLI, 1],
  s: [MICROS_PER_SECOND, 1, 1_000],
  seconds: [MICROS_PER_SECOND, 1],
  minutes: [60 * MICROS_PER_SECOND, 60],
  bytes: [1],
  kB: [1e3],
  "kB/s": [1e3],
  MB: [1e6],
  times: [1],
};

const WORDS: Record<string, number> = {
  once: 1,
  twice: 2,
  "a half": 1 / 2,
  "a third": 1 / 3,
  "a quarter": 1 / 4,
  "an eighth": 1 / 8,
  "three eighths": 3 / 8,
  "a sixteenth": 1 / 16,
  "a twentieth": 1 / 20,
};
"one two three four five six seven eight nine ten eleven twelve".split(" ").forEach((word, i) => {
  WORDS[word] = i + 1;
});

/** Returns the numbers that a figure may mean: times are in µs or ms in the sources, shares of one. */
function readings(text: string): number[] {
  const word = WORDS[text.toLowerCase()];
  if (word !== undefined) return [word];
  const power = text.match(/^2\^(\d+)$/)?.[1];
  if (power !== undefined) return [2 ** Number(power)];
  const [, digits = "", unit = ""] = text.match(/^([\d. ]*\d|[a-z]+) ?([^\d\s]*)$/) ?? [];
  const number = WORDS[digits] ?? Number(digits.replaceAll(" ", ""));
  return (UNITS[unit] ?? []).map((factor) => number * factor);
}

/** Returns figures with a unit that no constant holds; blocks of code and files that are named do not count. */
export function looseFigures(text: string): string[] {
  const prose = text.replaceAll(/^ {4}.*$/gm, "").replaceAll(new RegExp(String.raw`\[[^\][]+\]\[${LABEL}\]`, "g"), "");
  return prose.match(/(?<![\w.^])\d[\d. ]*(?:µs|ms|s|kB|MB|GB|bytes|minutes|seconds|%|kbit\/s|Mbit\/s)(?![\w])/g) ?? [];
}
