// What the program declares and never uses: exports that no other file of it imports and members that nothing reads. What
// only tests use counts as dead, except for an export that its own file uses as well. Text decides what is clearly alive;
// the compiler's references decide the rest.

import { type DocumentSymbol, LanguageServer, type Location } from "./language-server.ts";
import { codeOnly, ROOT, type SourceFile, sourceFiles, withoutComments } from "./sources.ts";

export interface Dead {
  readonly path: string;
  readonly line: number;
  /** `name`, or `Type.member`. */
  readonly name: string;
  readonly reason: "used nowhere" | "used by tests only" | "written and never read" | "exported for nobody";
}

/** Where a use keeps things alive. */
const PRODUCTION = /^(src|ffi|build|packaging)\//;

/** Kinds of the protocol's `SymbolKind` that matter here. */
const KIND = { CLASS: 5, CONSTRUCTOR: 9, INTERFACE: 11 } as const;

interface Candidate {
  readonly path: string;
  /** The type, class or table that has the member; undefined for an export. */
  readonly owner?: DocumentSymbol;
  readonly symbol: DocumentSymbol;
}

/** Returns what is dead in `src` and `ffi` of the check-out at `root`, by path and line. */
export async function deadNames(root = ROOT): Promise<Dead[]> {
  const files = sourceFiles(["src", "ffi", "build", "test", "packaging"], root);
  const texts = new Map(files.map((file) => [file.path, file.text]));
  const program = new Program(files.filter(({ path }) => PRODUCTION.test(path)));
  const server = await LanguageServer.start(root);
  try {
    const candidates: Candidate[] = [];
    for (const file of files.filter(({ path }) => /^(src|ffi)\//.test(path))) {
      server.open(file.path, file.text);
      candidates.push(...candidatesOf(file, await server.symbols(file.path), program));
    }
    const found: Dead[] = [];
    for (const candidate of candidates.filter((one) => !isAlive(one, candidates, program))) {
      const { path, owner, symbol } = candidate;
      const { start } = symbol.selectionRange;
      const uses = await server.references(path, start);
      const reason = owner ? memberFault(uses, texts) : exportFault(path, symbol, uses, texts);
      if (reason) found.push({ path, line: start.line + 1, name: nameOf(candidate), reason });
    }
    return found;
  } finally {
    server.stop();
  }
}

function nameOf({ owner, symbol }: Candidate): string {
  return owner ? `${owner.name}.${symbol.name}` : symbol.name;
}

/** Answers by text which names the program uses. */
class Program {
  readonly #code: ReadonlyMap<string, string>;
  readonly #read = new Set<string>();

  constructor(files: readonly SourceFile[]) {
    this.#code = new Map(files.map((file) => [file.path, codeOnly(file.text)]));
    for (const code of this.#code.values()) {
      for (const [, name] of code.matchAll(/\.\s*(\w+)\b(?!\s*=[^=>])/g)) this.#read.add(name as string);
      for (const [, names] of code.matchAll(/\{([^{}]*)\}\s*(?:=[^=>]|:|of\b)/g)) {
        for (const [name] of (names as string).matchAll(/\w+/g)) this.#read.add(name);
      }
    }
    for (const { text } of files) {
      for (const [, name] of withoutComments(text).matchAll(/\[\s*["'](\w+)["']\s*\]/g)) this.#read.add(name as string);
    }
  }

  /** True if any object is asked for a member of that name. */
  reads(name: string): boolean {
    return this.#read.has(name);
  }

  /** True if a file other than the one at `path` has the word in its code. */
  mentions(name: string, path: string): boolean {
    const word = new RegExp(`\\b${name}\\b`);
    return [...this.#code].some(([other, code]) => other !== path && word.test(code));
  }

  /** True if the code has `table.member`. */
  asksFor(table: string, member: string): boolean {
    const access = new RegExp(`\\b${table}\\s*\\.\\s*${member}\\b`);
    return [...this.#code.values()].some((code) => access.test(code));
  }

  /** True if the table is handed on, looked into by a computed key or spread: then all of it may be used. */
  isUsedWhole(table: string): boolean {
    const whole = new RegExp(`(?<!\\.)\\b${table}\\b(?!\\s*\\.)`, "g");
    return [...this.#code.values()].some((code) => {
      const rest = code.replace(/^\s*import\b[^;]*;/gm, "").replace(new RegExp(`\\bconst ${table}\\b`), "");
      return whole.test(rest);
    });
  }
}

/** Returns the exports of a file and the members of its types, classes and tables that others can name. */
function candidatesOf(file: SourceFile, symbols: readonly DocumentSymbol[], program: Program): Candidate[] {
  const lines = file.text.split("\n");
  return symbols.flatMap((symbol) => {
    const line = lines[symbol.selectionRange.start.line] ?? "";
    if (!/^(export|abstract|class|interface|const)\b/.test(line)) return [];
    const members = hasNamedMembers(symbol, line, program) ? (symbol.children ?? []) : [];
    const exported = line.startsWith("export") ? [{ path: file.path, symbol }] : [];
    const named = members.filter(({ kind, name }) => kind !== KIND.CONSTRUCTOR && /^[a-zA-Z]\w*$/.test(name));
    return [...exported, ...named.map((member) => ({ path: file.path, owner: symbol, symbol: member }))];
  });
}

/** True for a class, an interface, and a table of constants that is only ever asked for one of them by name. */
function hasNamedMembers(symbol: DocumentSymbol, line: string, program: Program): boolean {
  if (symbol.kind === KIND.CLASS || symbol.kind === KIND.INTERFACE) return true;
  return /^(export )?const [A-Z]\w* = \{/.test(line) && !program.isUsedWhole(symbol.name);
}

function isAlive(candidate: Candidate, all: readonly Candidate[], program: Program): boolean {
  const { path, owner, symbol } = candidate;
  const same = all.filter((other) => other.symbol.name === symbol.name);
  if (!owner) return same.every((other) => other.owner || other.path === path) && program.mentions(symbol.name, path);
  if (owner.kind === KIND.CLASS) {
    const isInInterface = same.some((other) => other.owner?.kind === KIND.INTERFACE && fits(owner, other.owner));
    return program.reads(symbol.name) && (isInInterface || same.length === 1);
  }
  return owner.kind === KIND.INTERFACE ? program.reads(symbol.name) : program.asksFor(owner.name, symbol.name);
}

/** True if an object of the class may go by the interface, which it need not say that it has. */
function fits(owner: DocumentSymbol, contract: DocumentSymbol): boolean {
  const names = new Set(owner.children?.map(({ name }) => name));
  return contract.children?.every(({ name }) => names.has(name)) ?? false;
}

function exportFault(
  path: string,
  symbol: DocumentSymbol,
  uses: readonly Location[],
  texts: ReadonlyMap<string, string>,
): Dead["reason"] | undefined {
  if (uses.some((use) => use.path !== path && PRODUCTION.test(use.path))) return undefined;
  const isUsedByTests = uses.some((use) => use.path !== path);
  if (!uses.some((use) => use.path === path)) return isUsedByTests ? "used by tests only" : "used nowhere";
  // Whoever calls an exported function may have to name its types.
  const line = texts.get(path)?.split("\n")[symbol.selectionRange.start.line] ?? "";
  return isUsedByTests || /^export (type|interface)\b/.test(line) ? undefined : "exported for nobody";
}

function memberFault(uses: readonly Location[], texts: ReadonlyMap<string, string>): Dead["reason"] | undefined {
  if (uses.length === 0) return "used nowhere";
  const reads = uses.filter((use) => isRead(use, texts.get(use.path) ?? ""));
  if (reads.some((use) => PRODUCTION.test(use.path))) return undefined;
  return reads.length > 0 ? "used by tests only" : "written and never read";
}

/** True if what is named there is read: not a declaration, a value in an object literal or the left of an assignment. */
export function isRead({ range }: Pick<Location, "range">, text: string): boolean {
  const lines = text.split("\n");
  const line = lines[range.start.line] ?? "";
  const before = line.slice(0, range.start.character);
  const after = [line.slice(range.end.character), ...lines.slice(range.end.line + 1)].join("\n");
  if (/\.\s*$/.test(before)) {
    if (/^\s*=(?![=>])/.test(after)) return false;
    // A statement of its own that counts up reads nothing.
    return !(/^\s*(\+\+|--|[-+*/|&]=)/.test(after) && /^\s*(if \(.*\) |else )?(this|\w+)(\.[\w#]+)*\.$/.test(before));
  }
  if (/\[["']?$/.test(before)) return true;
  return isDestructured(after);
}

/**
 * True if the braces around the place close in front of an assignment, a type or `of`, or stand among the parameters of a
 * function: then names are taken out of an object.
 */
function isDestructured(after: string): boolean {
  const rest = afterBracket(after, "}");
  if (rest === undefined) return false;
  if (/^\s*(=(?![=>])|:|of\b)/.test(rest)) return true;
  return /^\s*=>/.test(afterBracket(rest, ")") ?? "");
}

/** Returns the text after the bracket that closes what is open; undefined if that is another one. */
function afterBracket(text: string, closing: string): string | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if ("{([".includes(text[i] as string)) depth++;
    else if ("})]".includes(text[i] as string) && depth-- === 0) {
      return text[i] === closing ? text.slice(i + 1) : undefined;
    }
  }
  return undefined;
}
