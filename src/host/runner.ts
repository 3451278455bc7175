/** Does steps and undoes them, and keeps the journal. Knows nothing about their contents. */
import { EXIT, NetcombinerError } from "../errors.ts";
import { CommandFailure, type CommandRunner } from "./command.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { type Command, formatCommand, type Step } from "./step.ts";

/** Prints a command that is about to run, or a problem that stops nothing. */
export type Print = (kind: "command" | "warning", text: string) => void;

export class StepRunner {
  readonly #journal: Journal;
  readonly #run: CommandRunner;
  readonly #print: Print;

  constructor(journal: Journal, run: CommandRunner, print: Print) {
    this.#journal = journal;
    this.#run = run;
    this.#print = print;
  }

  /** Number of steps done and not undone. */
  get done(): number {
    return this.#journal.entries.length;
  }

  /** Does the steps in order. @throws the error of the first command that fails; the steps before it stay in the journal */
  async apply(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#applyOne(step);
  }

  /**
   * Undoes all but the `keep` oldest steps, newest first, and goes on after failures.
   * @throws NetcombinerError listing what could not be undone, which stays in the journal
   */
  async undo(keep = 0): Promise<void> {
    const problems: string[] = [];
    for (const entry of this.#journal.entries.slice(keep).toReversed()) {
      const problem = this.#isUsedElsewhere(entry) ? undefined : await this.#undoOne(entry);
      if (problem === undefined) this.#journal.remove(entry);
      else problems.push(problem);
    }
    if (problems.length > 0) throw new NetcombinerError(`not undone:\n${problems.join("\n")}`, EXIT.OS);
  }

  async #applyOne(step: Step): Promise<void> {
    const { why, shared } = step;
    const made = shared === undefined ? undefined : this.#journal.sharedEntry(shared);
    if (made) return this.#journal.push(made);
    if (step.isDone) return;
    this.#journal.push({ why, undo: step.undo, ...(shared === undefined ? {} : { shared }) });
    for (const command of step.do) {
      this.#print("command", formatCommand(command));
      await this.#run(command);
    }
  }

  #isUsedElsewhere({ shared }: JournalEntry): boolean {
    return shared !== undefined && this.#journal.sharedEntry(shared) !== undefined;
  }

  async #undoOne(entry: JournalEntry): Promise<string | undefined> {
    let problem: string | undefined;
    for (const command of entry.undo) {
      this.#print("command", formatCommand(command));
      problem = (await this.#attempt(command)) ?? problem;
    }
    return problem;
  }

  /** Returns why the command failed. Hooks of the user, and things undone already, count as undone. */
  async #attempt(command: Command): Promise<string | undefined> {
    try {
      await this.#run(command);
      return undefined;
    } catch (error) {
      if (error instanceof CommandFailure && error.isHarmless) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      if (command.hook === undefined) return message;
      this.#print("warning", message);
      return undefined;
    }
  }
}
