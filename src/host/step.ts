/**
 * What `up` does to a system, as data: commands and how to take them back. Planned by a file for each system, printed for
 * people, run by `runner.ts`.
 */

export interface Command {
  /** A program, found by PATH, and its arguments; no shell reads them. */
  readonly argv: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** A line of the user's own; a shell reads it. */
  readonly hook?: string;
}

export interface Step {
  readonly why: string;
  /** In this order. */
  readonly do: readonly Command[];
  /** In this order; must do no harm when `do` was not done, or only in part. */
  readonly undo: readonly Command[];
  /** Name of a thing that several tunnels need alike: the first makes it, the last takes it back. */
  readonly shared?: string;
  /** It was so before; recorded only when another tunnel made it so. */
  readonly isDone?: boolean;
}

/** `words` are separated by single spaces; no word has one inside. */
export function command(words: string): Command {
  return { argv: words.split(" ") };
}

export function hookCommand(line: string): Command {
  return { argv: ["/bin/sh", "-c", line], hook: line };
}

/** As a person would type it into a shell. */
export function formatCommand({ argv, input, hook }: Command): string {
  if (hook !== undefined) return hook;
  const words = argv.map(quoteWord).join(" ");
  return input === undefined ? words : `${words} <<'EOF'\n${input.trimEnd()}\nEOF`;
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
