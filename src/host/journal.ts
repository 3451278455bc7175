/**
 * What was done to the system and not yet taken back, in a file beside the control socket, so that it survives whatever
 * ends the process that did it. An entry is written before its step is begun. It goes with a reboot, as the steps do.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { Command } from "./step.ts";

const ENDING = ".undo";

export interface JournalEntry {
  readonly why: string;
  readonly undo: readonly Command[];
  readonly shared?: string;
}

export function journalPath(runDirectory: string, interfaceName: string): string {
  return join(runDirectory, `${interfaceName}${ENDING}`);
}

export class Journal {
  readonly path: string;
  #entries: readonly JournalEntry[];

  /** @throws NetcombinerError when the file cannot be read or is none of ours */
  constructor(path: string) {
    this.path = path;
    this.#entries = readEntries(path);
  }

  /** In the order in which they were done. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  push(entry: JournalEntry): void {
    this.#write([...this.#entries, entry]);
  }

  remove(entry: JournalEntry): void {
    this.#write(this.#entries.filter((other) => other !== entry));
  }

  /** What another tunnel did under this name. */
  elsewhere(shared: string): JournalEntry | undefined {
    const own = basename(this.path);
    const others = filesIn(dirname(this.path)).filter((name) => name.endsWith(ENDING) && name !== own);
    for (const name of others) {
      const found = readEntries(join(dirname(this.path), name)).find((entry) => entry.shared === shared);
      if (found) return found;
    }
    return undefined;
  }

  /** Whole or not at all: a reader never sees half of it. */
  #write(entries: readonly JournalEntry[]): void {
    this.#entries = entries;
    if (entries.length === 0) {
      unlinkSync(this.path);
      return;
    }
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o755 });
    const fresh = `${this.path}.new`;
    writeFileSync(fresh, `${JSON.stringify(entries, undefined, 1)}\n`, { mode: 0o600 });
    renameSync(fresh, this.path);
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readEntries(path: string): JournalEntry[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(path, error);
  }
  try {
    const entries: unknown = JSON.parse(text);
    if (Array.isArray(entries)) return entries as JournalEntry[];
  } catch (error) {
    throw unreadable(path, error);
  }
  throw unreadable(path, "no list");
}

function unreadable(path: string, error: unknown): NetcombinerError {
  const problem = error instanceof Error ? error.message : String(error);
  const advice = "it holds what has to be undone; undo it by hand and remove the file";
  return new NetcombinerError(`cannot read ${path}: ${problem}; ${advice}`, EXIT.IO);
}
