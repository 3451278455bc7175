// Makes the manual pages and shell completions. Nothing is written twice: commands come from their definitions, keys from the
// commented example configuration, and only the prose around them is in packaging/man.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/cli/cli.ts";
import { type CommandModel, modelOf } from "../src/cli/completion/model.ts";
import { completion, models, type Shell } from "../src/cli/completion-command.ts";
import type { Program } from "../src/cli/program.ts";
import { startCommand } from "../src/cli/start-command.ts";

const ROOT = join(import.meta.dir, "..");

/** Stands for the program, since the commands are only described here. */
const PROGRAM: Program = {
  entry: "",
  createThread: () => {
    throw new Error("no tunnel is started here");
  },
};

export interface ManualPage {
  /** Like `netcombiner.8`. */
  readonly name: string;
  /** Source in mdoc(7). */
  readonly text: string;
}

/** Returns all manual pages. */
export function manualPages(): ManualPage[] {
  const keys = documentedKeys(read("packaging/netcombiner.conf.example"));
  const pages = {
    "netcombiner.8": { SYNOPSIS: synopsis(), START: start().flags.map(flagItem).join("\n"), COMMANDS: commandItems() },
    "netcombiner.conf.5": { HOST: keyItems(keys, "Host"), PEER: keyItems(keys, "Peer") },
  };
  return Object.entries(pages).map(([name, values]) => {
    const known: Readonly<Record<string, string>> = values;
    const template = read(`packaging/man/${name}.in`);
    return { name, text: template.replaceAll(/^@([A-Z]+)@$/gm, (whole, key: string) => known[key] ?? whole) };
  });
}

export function shellCompletion(shell: Shell): string {
  return completion(shell, startCommand(PROGRAM), commands(PROGRAM));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function start(): CommandModel {
  return modelOf("", startCommand(PROGRAM));
}

function synopsis(): string {
  const all = [start(), ...models(commands(PROGRAM))];
  return all
    .map((command) => `.Nm${command.name ? ` Cm ${command.name}` : ""}\n${argumentsOf(command)}`.trim())
    .join("\n");
}

/** Returns the flags with their values, then the arguments. */
function argumentsOf({ flags, words }: CommandModel): string {
  const options = flags.map((flag) => `.Op ${spelling(flag)}${value(flag.value)}`);
  const positionals = words.map(({ name, isRequired }) => (isRequired ? `.Ar ${name}` : `.Op Ar ${name}`));
  return [...options, ...positionals].join("\n");
}

/** Returns the flag without its first hyphen, which mdoc adds. */
function spelling({ name, alias }: CommandModel["flags"][number]): string {
  return alias === "" ? `Fl -${name}` : `Fl ${alias}`;
}

function value(name: string): string {
  return name === "" ? "" : ` Ar ${name.toLowerCase()}`;
}

function flagItem({ name, alias, value: takes, description }: CommandModel["flags"][number]): string {
  const both = alias === "" ? `Fl -${name}` : `Fl ${alias} , Fl -${name}`;
  return `.It ${both}${value(takes)}\n${sentence(description)}`;
}

function commandItems(): string {
  return models(commands(PROGRAM))
    .map((command) => {
      const { name, description, words, flags } = command;
      const named = words.map(({ name: word, isRequired }) => (isRequired ? ` Ar ${word}` : ` Op Ar ${word}`)).join("");
      const explained = words.map((word) => `.It Ar ${word.name}\n${sentence(word.description)}`);
      const items = [...explained, ...flags.map(flagItem)];
      const list = items.length === 0 ? "" : `\n.Bl -tag -width Ds\n${items.join("\n")}\n.El`;
      return `.It Cm ${name}${named}\n${sentence(description)}${list}`;
    })
    .join("\n");
}

export interface DocumentedKey {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Text of the comment above; keys that follow each other share it. */
  readonly comment: string;
}

/** Returns the keys of the first section of each name, with the comments above them. */
export function documentedKeys(example: string): DocumentedKey[] {
  const keys = new Map<string, DocumentedKey>();
  let section = "";
  for (const paragraph of example.split(/\n{2,}/)) {
    let text = "";
    // A comment, and the keys that it is about; a section's name may stand before it.
    for (const [, name, comment = "", block = ""] of paragraph.matchAll(PART)) {
      section = name ?? section;
      text = comment.replaceAll(/^# ?/gm, "").trim().replaceAll("\n", " ") || text;
      for (const [, key = "", value = ""] of block.matchAll(KEY_LINE)) {
        const place = `${section}.${key}`;
        if (!keys.has(place)) keys.set(place, { section, key, value, comment: text });
      }
    }
  }
  return [...keys.values()];
}

const KEY_LINE = /^#?([A-Z]\w+) = (.*)$/gm;
const PART = /^(?:\[(\w+)\]\n?)?((?:#(?: .*)?(?:\n|$))*)((?:#?[A-Z]\w+ = .*(?:\n|$))*)/gm;

function keyItems(keys: readonly DocumentedKey[], section: string): string {
  const own = keys.filter((key) => key.section === section);
  return own
    .map(({ key, value: shown, comment }, i) => {
      const isFirst = comment === "" || own[i - 1]?.comment !== comment;
      const text = isFirst ? sentence(comment) : "See above.";
      return `.It Cm ${key} No = Ar ${argument(shown)}\n${text}`;
    })
    .join("\n");
}

/** Returns text in mdoc: one sentence a line, and nothing that looks like a macro. */
function sentence(text: string): string {
  const whole = /[.:]$/.test(text) || text === "" ? text : `${text}.`;
  const capital = whole.slice(0, 1).toUpperCase() + whole.slice(1);
  return capital
    .replaceAll("\\", "\\e")
    .replaceAll(/(?<=[A-Za-z0-9)"]{2}\.) +(?=[A-Z0-9])/g, "\n")
    .split("\n")
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join("\n");
}

/** Quotes `text` as one argument of a macro. */
function argument(text: string): string {
  return `"${text.replaceAll("\\", "\\e").replaceAll('"', '""')}"`;
}
