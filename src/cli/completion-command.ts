/** Implements `netcombiner completion bash`, which prints the completions for a shell, made from the definitions of the commands. */
import { defineCommand } from "citty";
import { usageError } from "./arguments.ts";
import type { CliCommand } from "./cli.ts";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { type CommandModel, modelOf } from "./completion/model.ts";
import { zshCompletion } from "./completion/zsh.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
export type Shell = keyof typeof SHELLS;
export const SHELL_NAMES = Object.keys(SHELLS) as readonly Shell[];

/** Returns the completion script for a shell. `start` is the command without a name, `all` are the others by name. */
export function completion(shell: Shell, start: CliCommand, all: Readonly<Record<string, CliCommand>>): string {
  return SHELLS[shell](modelOf("", start), models(all));
}

export function models(all: Readonly<Record<string, CliCommand>>): CommandModel[] {
  return Object.entries(all).map(([name, command]) => modelOf(name, command));
}

/** Returns the command. `complete` renders the script for a shell, with all commands, this one included. */
export function completionCommand(complete: (shell: Shell) => string) {
  return defineCommand({
    meta: { name: "netcombiner completion", description: "Print completions for a shell" },
    args: {
      shell: { type: "positional", required: true, description: "bash, zsh or fish", valueHint: SHELL_NAMES.join("|") },
    },
    run({ args }) {
      const shell = SHELL_NAMES.find((name) => name === args.shell);
      if (!shell) throw usageError(`no completions for ${args.shell}: expected ${SHELL_NAMES.join(", ")}`);
      process.stdout.write(complete(shell));
    },
  });
}
