/** Finds the command that the command line names, runs it, and turns what it throws into an exit code. */
import { type ArgsDef, type CommandDef, renderUsage, runCommand } from "citty";
import { versionLine } from "../daemon/process/program-version.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { assertKnown, type CommandName, isCommandName } from "./arguments.ts";
import { bugreportCommand } from "./bugreport-command.ts";
import { checkCommand } from "./check-command.ts";
import { colours } from "./colour.ts";
import { completion, completionCommand } from "./completion-command.ts";
import { downCommand } from "./down-command.ts";
import { initCommand } from "./init-command.ts";
import { joinCommand } from "./join-command.ts";
import { genkeyCommand, genpskCommand, pubkeyCommand } from "./keys-command.ts";
import { linkCommand } from "./link-command.ts";
import { metricsCommand } from "./metrics-command.ts";
import { netcheckCommand } from "./netcheck-command.ts";
import { pingCommand } from "./ping-command.ts";
import type { Program } from "./program.ts";
import { reloadCommand } from "./reload-command.ts";
import { runTunnelCommand } from "./run-command.ts";
import { showCommand } from "./show-command.ts";
import { speedtestCommand } from "./speedtest-command.ts";
import { startCommand } from "./start-command.ts";
import { topCommand } from "./top-command.ts";
import { upCommand } from "./up-command.ts";
import { versionCommand } from "./version-command.ts";

/** Runs the command and leaves its exit code (sysexits.h) in `process.exitCode`. Never rejects. */
export async function runCli(rawArgs: string[], program: Program): Promise<void> {
  try {
    await dispatch(rawArgs, program);
  } catch (error) {
    process.exitCode = printError(error);
  }
}

async function dispatch(rawArgs: string[], program: Program): Promise<void> {
  const all = commands(program);
  const at = commandIndex(rawArgs);
  const word = rawArgs[at];
  const flags = rawArgs.slice(0, rawArgs.includes("--") ? rawArgs.indexOf("--") : undefined);
  const wantsHelp = flags.includes("--help") || flags.includes("-h");
  if (word === undefined && wantsHelp) return printUsage(overview(program, all));
  if (word === undefined && flags.includes("--version")) return console.log(versionLine());
  const isCommand = word !== undefined && isCommandName(word);
  const command = isCommand ? all[word] : word === undefined ? all.show : startCommand(program);
  if (wantsHelp) return printUsage(command);
  const words = isCommand ? rawArgs.toSpliced(at, 1) : rawArgs;
  assertKnown(words, command.args as ArgsDef);
  await runCommand(command, { rawArgs: words });
}

// biome-ignore lint/suspicious/noExplicitAny: citty's type of a command with arguments is not one of a command as such
export type CliCommand = CommandDef<any>;

/** Returns every command by its name; the completions and the manual page are made from this. */
export function commands(program: Program): Record<CommandName, CliCommand> {
  return {
    run: runTunnelCommand(program),
    check: checkCommand,
    genkey: genkeyCommand,
    genpsk: genpskCommand,
    pubkey: pubkeyCommand,
    show: showCommand,
    reload: reloadCommand,
    up: upCommand(program),
    down: downCommand,
    link: linkCommand,
    init: initCommand(program),
    join: joinCommand(program),
    metrics: metricsCommand,
    top: topCommand,
    ping: pingCommand,
    netcheck: netcheckCommand(program),
    speedtest: speedtestCommand,
    bugreport: bugreportCommand,
    completion: completionCommand((shell) => completion(shell, startCommand(program), commands(program))),
    version: versionCommand,
  };
}

/** Returns the index of the first argument that is neither a flag nor the value of one. */
function commandIndex(rawArgs: readonly string[]): number {
  for (let i = 0; i < rawArgs.length; i++) {
    const arg = rawArgs[i] as string;
    if (arg === "--") return i + 1;
    if (arg === "-c" || arg === "--config") i++;
    else if (!arg.startsWith("-") || arg === "-") return i;
  }
  return rawArgs.length;
}

/** Returns the usage of the program: that of starting a tunnel, with the commands below. */
function overview(program: Program, all: Record<CommandName, CliCommand>): CliCommand {
  return { ...startCommand(program), subCommands: all };
}

async function printUsage(command: CliCommand): Promise<void> {
  const text = await renderUsage(command);
  console.log(colours(process.stdout).isOn ? text : Bun.stripANSI(text));
}

function printError(error: unknown): number {
  const isUsage = error instanceof Error && error.name === "CLIError";
  if (error instanceof NetcombinerError || isUsage) {
    const exitCode = error instanceof NetcombinerError ? error.exitCode : EXIT.USAGE;
    const hint = exitCode === EXIT.USAGE ? "\nsee netcombiner --help" : "";
    // Faults of a file begin with its name and line, so that editors find the place.
    const prefix = exitCode === EXIT.CONFIG ? "" : "netcombiner: ";
    console.error(Bun.stripANSI(`${prefix}${error.message}${hint}`));
    return exitCode;
  }
  console.error(`netcombiner: internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  return EXIT.SOFTWARE;
}
