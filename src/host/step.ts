/**
 * The steps of `up` as data: commands and the commands that undo them. Planned for each system, printed for the user,
 * executed by `runner.ts`.
 */

export interface Command {
  /** A program, found by PATH, and its arguments; no shell interprets them. */
  readonly argv: readonly string[];
  /** Text for standard input. */
  readonly input?: string;
  /** A line of the user's configuration, which a shell interprets. */
  readonly hook?: string;
}

export interface Step {
  /** The reason, printed as a comment by --dry-run. */
  readonly why: string;
  /** Commands to run, in this order. */
  readonly do: readonly Command[];
  /** Commands to run, in this order; harmless if `do` was not done, or only in part. */
  readonly undo: readonly Command[];
  /** Name of a setting that several tunnels share: the first one makes it, the last one undoes it. */
  readonly shared?: string;
  /** True if the system was so before; then the step is recorded only if another tunnel made it so. */
  readonly isDone?: boolean;
}

/** Returns a command of words separated by single spaces; no word contains one. */
export function command(words: string): Command {
  return { argv: words.split(" ") };
}

export function hookCommand(line: string): Command {
  return { argv: ["/bin/sh", "-c", line], hook: line };
}

/** Returns the command as it would be typed into a shell. */
export function formatCommand({ argv, input, hook }: Command): string {
  if (hook !== undefined) return hook;
  const words = argv.map(quoteWord).join(" ");
  return input === undefined ? words : `${words} <<'EOF'\n${input.trimEnd()}\nEOF`;
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
