import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { validateConfiguration } from "../src/config/load.ts";
import { DROP_REASONS } from "../src/drops.ts";
import { constantsOf, figureFault, figuresOf, looseFigures } from "./rules/figures.ts";
import { ROOT, sourceFiles } from "./rules/sources.ts";

const PATTERNS = ["*.md", ...["docs", "packaging", "test", "src", "ffi"].map((folder) => `${folder}/**/*.md`)];
const paths = PATTERNS.flatMap((pattern) => [...new Glob(pattern).scanSync({ cwd: ROOT })]);
const documents = paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** Files that a document links to, relative to the root; addresses elsewhere and anchors are left out. */
function linkedFiles(path: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target as string);
  return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => join(dirname(path), target));
}

function mentionedScripts(text: string): string[] {
  return [...text.matchAll(/\bnpm run ([a-z][a-z0-9-]*)/g)].map(([, name]) => name as string);
}

/** Blocks fenced as `ini`: whole configuration files, with what an item of a list is indented by. */
function configurations(text: string): string[] {
  return [...text.matchAll(/^( *)```ini\n([\s\S]*?)^ *```/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/** Keys of the blocks fenced as `conf`: configurations of wg-quick(8). */
function wireguardKeys(text: string): string[] {
  return [...text.matchAll(/^```conf\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.split("\n").flatMap((line) => (line === "" || line.startsWith("[") ? [] : [line.split(" = ")[0] as string])),
  );
}

/** What wg(8) and wg-quick(8) know, as far as we show it. */
const WIREGUARD_KEYS =
  "PrivateKey Address ListenPort FwMark MTU PostUp PreDown PublicKey PresharedKey Endpoint AllowedIPs".split(" ");

/** Files of the project that are named as code, like `src/main.ts`; not those with a placeholder. */
function namedFiles(text: string): string[] {
  return [...text.matchAll(/`((?:src|ffi|build|test|packaging|docs)\/[a-z0-9/._-]+\.[a-z]+)`/g)].map(
    ([, path]) => path as string,
  );
}

/** Tests that a row of a table names: a file and, in quotation marks, how the title begins. */
function namedTests(row: string): { readonly file: string; readonly title: string }[] {
  const found = row.matchAll(/`(test\/[a-z0-9/._-]+\.test\.ts)` "([^"]*)"/g);
  return [...found].map(([, file = "", title = ""]) => ({ file, title }));
}

/** Words of our own for what the field has a term for, and the term. Decisions and the changes of the past keep theirs. */
const PRIVATE_WORDS: readonly (readonly [word: RegExp, term: string])[] = [
  [/\bthin (?:flow|path)/, "sparse"],
  [/\brenewals?\b|\brenew(?:s|ed)?\b/, "rekey"],
  [/\bstrangers?\b/, "new flow"],
  [/\brepair(?:s|ed|ing)?\b/, "retransmission"],
  [/\b(?:copied again|copies of packets|carried again|carried a second time)\b/, "reinjection, duplicate"],
  [/\bin parts\b/, "fragmented"],
  [/\bin vain\b/, "expired"],
  [/\bkept short\b/, "AQM"],
  [/\bsated\b/, "saturated"],
  [/\bglances?\b/, "parsed header"],
  [/(?<!round[- ])\btrips?\b/, "round trip"],
];
const KEEP_THEIR_WORDS = ["docs/decisions/", "docs/evaluation/", "CHANGELOG.md"];

const DECISION_LINES = 30;
const DECISION_PARTS = ["Context", "Decision", "Cost", "We would know it was wrong if"];

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

  test("name files that exist", () => {
    const missing = documents.flatMap(({ path, text }) =>
      namedFiles(text)
        .filter((named) => !existsSync(join(ROOT, named)))
        .map((named) => `${path}: ${named}`),
    );
    expect(missing).toEqual([]);
  });

  test("are there where the sources refer to them", () => {
    const references = sourceFiles(["src", "ffi", "build", "packaging"]).flatMap(({ path, text }) =>
      [...text.matchAll(/\bdocs\/[a-z0-9/-]+\.md\b/g)].map(([target]) => ({ path, target })),
    );
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter(({ target }) => !existsSync(join(ROOT, target)))).toEqual([]);
  });

  test("show configurations that are valid", () => {
    const shown = documents.flatMap(({ path, text }) => configurations(text).map((block) => ({ path, block })));
    expect(shown.length).toBeGreaterThan(1);
    const faults = shown.flatMap(({ path, block }) => {
      const found = { text: block, mode: 0o600 };
      return validateConfiguration(found, path, () => ({ problem: "no such file" })).faults.map(
        ({ line, text }) => `${path}, line ${line} of a block: ${text}`,
      );
    });
    expect(faults).toEqual([]);
  });

  test("show no configuration of WireGuard with keys that it does not know", () => {
    const keys = documents.flatMap(({ text }) => wireguardKeys(text));
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !WIREGUARD_KEYS.includes(key))).toEqual([]);
  });

  test("tell each decision in a few lines and the same four parts", () => {
    const decisions = documents.filter(({ path }) => path.startsWith("docs/decisions/"));
    const numbers = decisions.map(({ path }) => path.slice("docs/decisions/".length).split("-")[0]);
    expect(new Set(numbers).size).toBe(decisions.length);
    for (const { path, text } of decisions) {
      const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      const isShort = text.trimEnd().split("\n").length <= DECISION_LINES;
      const isNumbered = text.startsWith(`# ${path.slice("docs/decisions/".length, -".md".length).split("-")[0]}: `);
      expect({ path, parts, isShort, isNumbered }).toEqual({
        path,
        parts: DECISION_PARTS,
        isShort: true,
        isNumbered: true,
      });
    }
  });

  test("explain every reason for which something is dropped", () => {
    const { text = "" } = documents.find(({ path }) => path === "docs/troubleshooting.md") ?? {};
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    const explained = new Set(rows.flatMap((row) => row.split("|")[1]?.match(/[a-z]+(?:-[a-z]+)+/g) ?? []));
    expect(DROP_REASONS.filter((reason) => reason !== "none" && !explained.has(reason))).toEqual([]);
  });

  test("use the words of the field", () => {
    const checked = documents.filter(({ path }) => !KEEP_THEIR_WORDS.some((start) => path.startsWith(start)));
    const found = checked.flatMap(({ path, text }) => {
      const flat = text.replaceAll(/\s+/g, " ");
      return PRIVATE_WORDS.flatMap(([word, term]) => {
        const at = flat.search(word);
        return at < 0 ? [] : [`${path}: ${term}, instead of ${flat.slice(Math.max(0, at - 40), at + 40)}`];
      });
    });
    expect(found).toEqual([]);
  });

  test("explain every line of show", () => {
    const { text = "" } = documents.find(({ path }) => path === "docs/troubleshooting.md") ?? {};
    const [, section = ""] = text.split("## What `show` says");
    const source = readFileSync(join(ROOT, "src/cli/show-view.ts"), "utf8");
    const names = [...source.matchAll(/\["([a-z' ]+)", /gi)].map(([, name]) => name as string);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  });

  test("name for every threat the test of its protection, which exists", () => {
    const { text = "" } = documents.find(({ path }) => path === "docs/security.md") ?? {};
    const section = text.split("\n## ").find((part) => part.startsWith("Threats\n")) ?? "";
    const rows = section.split("\n").filter((line) => /^\| [^-]/.test(line) && !line.startsWith("| threat "));
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => namedTests(row).length === 0)).toEqual([]);
    const missing = rows.flatMap(namedTests).filter(({ file, title }) => {
      return title === "" || !existsSync(join(ROOT, file)) || !readFileSync(join(ROOT, file), "utf8").includes(title);
    });
    expect(missing).toEqual([]);
  });

  test("give the figures that the sources have", () => {
    const figures = documents.flatMap(({ path, text }) => {
      const constants = constantsOf(path, text);
      return figuresOf(text).map((figure) => ({ path, figure, file: constants.get(figure.label) }));
    });
    expect(figures.length).toBeGreaterThan(0);
    const faults = figures.map(({ path, figure, file }) => ({ path, fault: figureFault(figure, file) }));
    expect(faults.filter(({ fault }) => fault !== undefined)).toEqual([]);
  });

  test("say where constants stand for no others than they give figures of", () => {
    const unused = documents.flatMap(({ path, text }) => {
      const labels = new Set(figuresOf(text).map(({ label }) => label));
      return [...constantsOf(path, text).keys()]
        .filter((label) => !labels.has(label))
        .map((label) => ({ path, label }));
    });
    expect(unused).toEqual([]);
  });

  test("give no figure of the protocol without its constant", () => {
    const { text = "" } = documents.find(({ path }) => path === "docs/protocol.md") ?? {};
    expect(looseFigures(text)).toEqual([]);
  });

  test("list every file that specifies bytes, in `message-types.ts` those of a message", () => {
    const { text = "" } = documents.find(({ path }) => path === "docs/protocol.md") ?? {};
    for (const name of ["datagram", "exchange-messages", "message-types"])
      expect(text).toContain(`](../src/wire/${name}.ts)`);
    const files = sourceFiles(["src/wire"]);
    const list = files.find(({ path }) => path === "src/wire/message-types.ts")?.text ?? "";
    const messages = files.filter((file) => file.text.includes('from "./message-types.ts"'));
    const unlisted = messages.filter(({ path }) => !list.includes(`\`${path.slice("src/wire/".length)}\``));
    expect([messages.length > 0, unlisted]).toEqual([true, []]);
  });

  test("are read right", () => {
    expect(linkedFiles("docs/a.md", "[b](../src/b.ts#l1) [c](https://c.example/) [d](#d)")).toEqual(["src/b.ts"]);
    expect(mentionedScripts("`npm run build -- --all` and npm test")).toEqual(["build"]);
    expect(configurations("1. a\n   ```ini\n   [Host]\n   ```\n```sh\nls\n```\n")).toEqual(["[Host]\n"]);
    expect(namedFiles("`src/main.ts`, `test/<area>/x.test.ts`, `src/path`")).toEqual(["src/main.ts"]);
  });
});
