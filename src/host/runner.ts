/** Does steps and takes them back, keeping the journal. Knows nothing of what they are. */
import { EXIT, NetcombinerError } from "../errors.ts";
import { CommandFailure, type CommandRunner } from "./command.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { type Command, formatCommand, type Step } from "./step.ts";

/** Told to a person: what is about to be run, or what went wrong without stopping anything. */
export type Tell = (kind: "command" | "warning", text: string) => void;

export class StepRunner {
  readonly #journal: Journal;
  readonly #run: CommandRunner;
  readonly #tell: Tell;

  constructor(journal: Journal, run: CommandRunner, tell: Tell) {
    this.#journal = journal;
    this.#run = run;
    this.#tell = tell;
  }

  /** How many steps are done and not taken back. */
  get done(): number {
    return this.#journal.entries.length;
  }

  /** @throws what the first failing command does; what was done until then stays in the journal */
  async apply(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#applyOne(step);
  }

  /**
   * Takes back, newest first, all but the `keep` oldest steps; on and on whatever fails.
   * @throws NetcombinerError with all that could not be taken back, which stays in the journal
   */
  async undo(keep = 0): Promise<void> {
    const problems: string[] = [];
    for (const entry of this.#journal.entries.slice(keep).toReversed()) {
      const problem = this.#isNeededElsewhere(entry) ? undefined : await this.#undoOne(entry);
      if (problem === undefined) this.#journal.remove(entry);
      else problems.push(problem);
    }
    if (problems.length > 0) throw new NetcombinerError(`not undone:\n${problems.join("\n")}`, EXIT.OS);
  }

  async #applyOne(step: Step): Promise<void> {
    const { why, shared } = step;
    const made = shared === undefined ? undefined : this.#journal.elsewhere(shared);
    if (made) return this.#journal.push(made);
    if (step.isDone) return;
    this.#journal.push({ why, undo: step.undo, ...(shared === undefined ? {} : { shared }) });
    for (const command of step.do) {
      this.#tell("command", formatCommand(command));
      await this.#run(command);
    }
  }

  #isNeededElsewhere({ shared }: JournalEntry): boolean {
    return shared !== undefined && this.#journal.elsewhere(shared) !== undefined;
  }

  async #undoOne(entry: JournalEntry): Promise<string | undefined> {
    let problem: string | undefined;
    for (const command of entry.undo) {
      this.#tell("command", formatCommand(command));
      problem = (await this.#attempt(command)) ?? problem;
    }
    return problem;
  }

  /** What stands in the way; a command of the user's own does not, and what is gone already neither. */
  async #attempt(command: Command): Promise<string | undefined> {
    try {
      await this.#run(command);
      return undefined;
    } catch (error) {
      if (error instanceof CommandFailure && error.isHarmless) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      if (command.hook === undefined) return message;
      this.#tell("warning", message);
      return undefined;
    }
  }
}
