import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "./rules/sources.ts";

const PATTERNS = ["*.md", ...["docs", "packaging", "test", "src", "ffi"].map((folder) => `${folder}/**/*.md`)];
const paths = PATTERNS.flatMap((pattern) => [...new Glob(pattern).scanSync({ cwd: ROOT })]);
const documents = paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** Files that a document links to, relative to the root; addresses elsewhere and anchors are left out. */
function linkedFiles(path: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target as string);
  return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => join(dirname(path), target));
}

function mentionedScripts(text: string): string[] {
  return [...text.matchAll(/\bnpm run ([a-z-]+)/g)].map(([, name]) => name as string);
}

describe("the documents", () => {
  test("link to files that exist", () => {
    expect(documents.length).toBeGreaterThan(0);
    const dead = documents.flatMap(({ path, text }) =>
      linkedFiles(path, text)
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test("name commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const unknown = documents.flatMap(({ path, text }) =>
      mentionedScripts(text)
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: npm run ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test("are read right", () => {
    expect(linkedFiles("docs/a.md", "[b](../src/b.ts#l1) [c](https://c.example/) [d](#d)")).toEqual(["src/b.ts"]);
    expect(mentionedScripts("`npm run build -- --all` and npm test")).toEqual(["build"]);
  });
});
