// The project's source files as text, and what they import. Read as text on purpose: a transpiler drops `import type`,
// and a type that points the wrong way is a dependency that points the wrong way.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";

export const ROOT = join(import.meta.dir, "..", "..");

export interface SourceFile {
  /** Path from the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Returns every TypeScript and JavaScript file below `folders` of the check-out at `root`, by path. */
export function sourceFiles(folders: readonly string[], root = ROOT): SourceFile[] {
  const paths = folders.flatMap((folder) => [...new Glob(`${folder}/**/*.{ts,mjs}`).scanSync({ cwd: root })]);
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export interface Import {
  /** As written: `./ring.ts`, `node:fs`, `valibot`. */
  readonly specifier: string;
  readonly isType: boolean;
  readonly isReExport: boolean;
}

// Statements begin a line, as the formatter has them; that tells them from examples in strings.
const FROM = /^[ \t]*(import|export)\s+(type\s+)?(?:[\w$*{},\s]+?)\s*from\s*["']([^"']+)["']/gm;
const BARE = /^[ \t]*import\s*["']([^"']+)["']/gm;
const CALL = /(?<!["'])\b(?:import|require)\s*\(\s*["']([^"']+)["']/g;

/** Every module that `text` names in an import, a re-export, `import()` or `require()`. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const named = [...code.matchAll(FROM)].map(([, keyword, type, specifier]) => ({
    specifier: specifier as string,
    isType: type !== undefined,
    isReExport: keyword === "export",
  }));
  const unnamed = [...code.matchAll(BARE), ...code.matchAll(CALL)].map(([, specifier]) => ({
    specifier: specifier as string,
    isType: false,
    isReExport: false,
  }));
  return [...named, ...unnamed];
}

// One alternative for each thing that may hide another; the first to begin wins. A slash begins a regular expression
// only where an operand is due, which the lookbehind tells well enough for code that a formatter has been over.
const COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const STRING = String.raw`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'`;
const REGEX = String.raw`(?<=(?:^|[(,=:[!&|?{};+\n]|\breturn|=>)\s*)\/(?![*\/])(?:[^\/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*`;
const TEMPLATE = "`(?:[^`\\\\]|\\\\[\\s\\S])*`";
const TOKEN = new RegExp(
  `(?<comment>${COMMENT})|(?<string>${STRING})|(?<template>${TEMPLATE})|(?<regex>${REGEX})`,
  "g",
);

function replaceTokens(text: string, replacement: (kind: string, token: string) => string): string {
  return text.replace(TOKEN, (token, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) as string;
    return replacement(kind, token);
  });
}

/** `text` with every comment replaced by a space. */
export function withoutComments(text: string): string {
  return replaceTokens(text, (kind, token) => (kind === "comment" ? " " : token));
}

/** `text` without comments and without what stands in strings and regular expressions; `${}` in templates is kept. */
export function codeOnly(text: string): string {
  return replaceTokens(text, (kind, token) => {
    if (kind === "comment") return " ";
    if (kind !== "template") return '""';
    return `"" ${[...token.matchAll(/\$\{([^}]*)\}/g)].map(([, code]) => codeOnly(code as string)).join(" ")} `;
  });
}
