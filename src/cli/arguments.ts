/** Arguments the commands share, and the strictness that citty lacks: it takes unknown flags and extra words without a sound. */
import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { INTERFACE_NAME } from "../config/values.ts";
import { configurationFile } from "../daemon/paths.ts";
import { EXIT, NetcombinerError } from "../errors.ts";

/** `-c FILE`, as every command that reads the configuration has it. */
export const CONFIG_ARGUMENT = {
  type: "string",
  alias: "c",
  valueHint: "FILE",
  description: "configuration file (default: /etc/netcombiner/INTERFACE.conf; /usr/local/etc on FreeBSD)",
} as const;

/** As `up` and `down` have it. */
export const DRY_RUN_ARGUMENT = {
  type: "boolean",
  description: "print the commands, and change nothing",
} as const;

export const COMMAND_NAMES = [
  "run",
  "check",
  "genkey",
  "genpsk",
  "pubkey",
  "show",
  "reload",
  "up",
  "down",
  "link",
  "init",
  "join",
  "metrics",
  "top",
  "ping",
  "netcheck",
  "speedtest",
  "bugreport",
  "completion",
  "version",
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export function isCommandName(word: string): word is CommandName {
  return (COMMAND_NAMES as readonly string[]).includes(word);
}

/** @throws NetcombinerError `USAGE` for a flag or a word that `args` does not have, or a flag without its value */
export function assertKnown(rawArgs: string[], args: ArgsDef): void {
  const words = Object.values(args).filter((arg) => arg.type === "positional").length;
  const { positionals } = parseStrictly(rawArgs, args);
  const extra = positionals[words];
  if (extra !== undefined) throw usageError(`one word too many: ${extra}`);
}

function parseStrictly(rawArgs: string[], args: ArgsDef) {
  const flags = Object.entries(args).filter(([, arg]) => arg.type !== "positional");
  const options = Object.fromEntries(
    flags.map(([name, arg]) => {
      const type = arg.type === "boolean" ? ("boolean" as const) : ("string" as const);
      const short = "alias" in arg && typeof arg.alias === "string" ? { short: arg.alias } : {};
      return [name, { type, ...short }];
    }),
  );
  try {
    return parseArgs({ args: rawArgs, options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node adds advice on how to write such a word after "--" in further sentences.
    const message = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? "") : String(error);
    throw usageError(message);
  }
}

/** @throws NetcombinerError `USAGE` unless it can be the name of an interface and is no command's */
export function assertInterfaceName(name: string): void {
  if (isCommandName(name)) throw usageError(`"${name}" is a command and cannot be the name of an interface`);
  if (INTERFACE_NAME.test(name)) return;
  throw usageError(`"${name}" cannot be the name of an interface: 1 to 15 letters, digits and _.=+-`);
}

/** The file that was named, or the one of the interface. */
export function chosenFile(config: string | undefined, interfaceName: string): string {
  return config ?? configurationFile(interfaceName);
}

export function usageError(message: string): NetcombinerError {
  return new NetcombinerError(message, EXIT.USAGE);
}
