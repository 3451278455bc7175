/** Describes what can be typed, read from the definitions of the commands: the one source of the completions and the manual page. */
import type { ArgsDef, CommandDef } from "citty";

/** Source of the completions of a word: its `choices`, or names that the shell looks up. */
export type Completion = "choices" | "interface" | "link" | "file" | "nothing";

export interface Word {
  readonly name: string;
  readonly isRequired: boolean;
  readonly description: string;
  readonly completes: Completion;
  readonly choices: readonly string[];
}

export interface Flag {
  readonly name: string;
  /** One letter, or empty. */
  readonly alias: string;
  /** Name of its value; empty for a flag without one. */
  readonly value: string;
  readonly description: string;
  readonly completes: Completion;
  readonly choices: readonly string[];
}

export interface CommandModel {
  /** Name of the command; empty for starting a tunnel by the name of its interface. */
  readonly name: string;
  readonly description: string;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
}

// biome-ignore lint/suspicious/noExplicitAny: citty's type of a command with arguments is not one of a command as such
export function modelOf(name: string, command: CommandDef<any>): CommandModel {
  const { description = "" } = (command.meta ?? {}) as { description?: string };
  const args = Object.entries((command.args ?? {}) as ArgsDef);
  return {
    name,
    description,
    words: args.flatMap(([argument, definition]) => {
      if (definition.type !== "positional") return [];
      const isRequired = definition.required !== false && definition.default === undefined;
      return [{ name: argument, isRequired, ...described(argument, definition) }];
    }),
    flags: args.flatMap(([argument, definition]) => {
      if (definition.type === "positional") return [];
      const alias = "alias" in definition && typeof definition.alias === "string" ? definition.alias : "";
      const value = definition.type === "boolean" ? "" : (hintOf(definition) ?? argument.toUpperCase());
      return [{ name: argument, alias, value, ...described(argument, definition) }];
    }),
  };
}

function described(name: string, definition: ArgsDef[string]) {
  const hint = hintOf(definition) ?? "";
  const choices = hint.includes("|") ? hint.split("|") : [];
  return { description: definition.description ?? "", completes: completes(name, hint), choices };
}

function completes(name: string, hint: string): Completion {
  if (hint.includes("|")) return "choices";
  if (hint === "FILE" || hint === "TARGET") return "file";
  if (name === "interface") return "interface";
  return hint === "LINK" || name === "link" ? "link" : "nothing";
}

function hintOf(definition: ArgsDef[string]): string | undefined {
  return "valueHint" in definition ? definition.valueHint : undefined;
}
