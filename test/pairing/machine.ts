/** A machine that answers as told and remembers what was done to it. */
import type { CommandResult, Machine } from "../../src/pairing/machine.ts";

export interface FakeMachine extends Machine {
  readonly printed: string[];
  readonly ran: string[];
}

/** @param answers by command line; a command that is not here is no program of this machine */
export function fakeMachine(
  answers: Readonly<Record<string, Partial<CommandResult>>>,
  files: readonly string[] = [],
): FakeMachine {
  const printed: string[] = [];
  const ran: string[] = [];
  return {
    printed,
    ran,
    run(command) {
      const line = command.join(" ");
      const answer = answers[line];
      if (answer) ran.push(line);
      return answer ? { code: 0, out: "", err: "", ...answer } : { code: 127, out: "", err: "no such program" };
    },
    exists: (path) => files.includes(path),
    print: (line) => void printed.push(line),
  };
}
