/** The machine as pairing needs it: runs commands and prints them as one would type them. Tests replace it. */
import { existsSync } from "node:fs";
import { EXIT, NetcombinerError } from "../errors.ts";
import { formatCommand } from "../host/step.ts";

/** The result of a command that ran to its end. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Machine {
  /** Runs a command to its end; the code is 127 if there is no such program. */
  run(command: readonly string[]): CommandResult;
  exists(path: string): boolean;
  /** Prints a step, or a note, for the user. */
  print(line: string): void;
}

/** Returns the real machine. */
export function systemMachine(print: (line: string) => void): Machine {
  return { run, exists: existsSync, print };
}

function run(command: readonly string[]): CommandResult {
  if (Bun.which(command[0] ?? "", { PATH }) === null) return { code: 127, out: "", err: "no such program" };
  const environment = { PATH, LC_ALL: "C" };
  const result = Bun.spawnSync([...command], { env: environment, stdin: "ignore", timeout: 30_000 });
  return { code: result.exitCode ?? 1, out: result.stdout.toString(), err: result.stderr.toString() };
}

/** Includes the administrator's programs, which the caller's PATH may lack. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Prints a command and runs it. @throws NetcombinerError with its output if it fails */
export function runStep(machine: Machine, command: readonly string[]): void {
  machine.print(`+ ${formatCommand({ argv: command })}`);
  const { code, out, err } = machine.run(command);
  if (code === 0) return;
  const problem = (err.trim() || out.trim() || `exit code ${code}`).split("\n").slice(-3).join("; ");
  throw new NetcombinerError(`${command[0]}: ${problem}`, EXIT.OS);
}
