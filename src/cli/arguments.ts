/** Holds the arguments that commands share, and checks the command line strictly: citty silently accepts unknown flags and extra words. */
import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { INTERFACE_NAME } from "../config/values.ts";
import { configurationFile } from "../daemon/process/locations.ts";
import { EXIT, NetcombinerError } from "../errors.ts";

/** The flag `-c FILE` of every command that reads the configuration. */
export const CONFIG_ARGUMENT = {
  type: "string",
  alias: "c",
  valueHint: "FILE",
  description: "configuration file (default: /etc/netcombiner/INTERFACE.conf; /usr/local/etc on FreeBSD)",
} as const;

/** The flag `--dry-run` of `up` and `down`. */
export const DRY_RUN_ARGUMENT = {
  type: "boolean",
  description: "print the commands and change nothing",
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

/** Checks the flags and arguments of a command. @throws NetcombinerError `USAGE` for one that `args` does not define, or a flag without its value */
export function assertKnown(rawArgs: string[], args: ArgsDef): void {
  const words = Object.values(args).filter((arg) => arg.type === "positional").length;
  const { positionals } = parseStrictly(rawArgs, args);
  const extra = positionals[words];
  if (extra !== undefined) throw usageError(`unexpected argument: ${extra}`);
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
    // Node advises in further sentences how to write such an argument after "--", which no command takes.
    const message = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? "") : String(error);
    throw usageError(message);
  }
}

/** Checks that `name` can name an interface. @throws NetcombinerError `USAGE` if it cannot, or is the name of a command */
export function assertInterfaceName(name: string): void {
  if (isCommandName(name)) throw usageError(`"${name}" is a command and cannot name an interface; choose another name`);
  if (INTERFACE_NAME.test(name)) return;
  throw usageError(`"${name}" cannot name an interface: expected 1 to 15 letters, digits and _.=+-`);
}

/** Returns the configuration file given by `-c`, or the default one of the interface. */
export function chosenFile(config: string | undefined, interfaceName: string): string {
  return config ?? configurationFile(interfaceName);
}

export function usageError(message: string): NetcombinerError {
  return new NetcombinerError(message, EXIT.USAGE);
}
