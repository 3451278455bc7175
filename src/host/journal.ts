/**
 * Records the steps done to the system and not yet undone, in a file beside the control socket, so that they can be undone
 * even after the process was killed. An entry is written before its step begins. A reboot removes file and steps alike.
 */
import { mkdirSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EXIT, NetcombinerError } from "../errors.ts";
import { replaceFile } from "./replace-file.ts";
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

  /** @throws NetcombinerError if the file cannot be read or is not a journal */
  constructor(path: string) {
    this.path = path;
    this.#entries = readEntries(path);
  }

  /** The entries in the order in which their steps were done. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  push(entry: JournalEntry): void {
    this.#write([...this.#entries, entry]);
  }

  remove(entry: JournalEntry): void {
    this.#write(this.#entries.filter((other) => other !== entry));
  }

  /** Returns the entry of another tunnel for the shared setting, if there is one. */
  sharedEntry(shared: string): JournalEntry | undefined {
    const own = basename(this.path);
    const others = filesIn(dirname(this.path)).filter((name) => name.endsWith(ENDING) && name !== own);
    for (const name of others) {
      const found = readEntries(join(dirname(this.path), name)).find((entry) => entry.shared === shared);
      if (found) return found;
    }
    return undefined;
  }

  /** Replaces the file at once: a reader never sees half of it. */
  #write(entries: readonly JournalEntry[]): void {
    this.#entries = entries;
    if (entries.length === 0) {
      unlinkSync(this.path);
      return;
    }
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o755 });
    replaceFile(this.path, `${JSON.stringify(entries, undefined, 1)}\n`, 0o600);
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
  throw unreadable(path, "not a list");
}

function unreadable(path: string, error: unknown): NetcombinerError {
  const problem = error instanceof Error ? error.message : String(error);
  const advice = "it lists what has to be undone; undo that by hand and remove the file";
  return new NetcombinerError(`cannot read ${path}: ${problem}; ${advice}`, EXIT.IO);
}
