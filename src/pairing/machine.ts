/** The machine as pairing needs it: commands that are run, shown as a person could type them. Tests bring their own. */
import { existsSync } from "node:fs";
import { EXIT, NetcombinerError } from "../errors.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Machine {
  /** Runs a command to its end and gives what it said; code 127 when there is no such program. */
  run(command: readonly string[]): Outcome;
  exists(path: string): boolean;
  /** Tells the person a step, or something to know. */
  tell(line: string): void;
}

export function systemMachine(tell: (line: string) => void): Machine {
  return { run, exists: existsSync, tell };
}

function run(command: readonly string[]): Outcome {
  if (Bun.which(command[0] ?? "", { PATH }) === null) return { code: 127, out: "", err: "no such program" };
  const environment = { PATH, LC_ALL: "C" };
  const result = Bun.spawnSync([...command], { env: environment, stdin: "ignore", timeout: 30_000 });
  return { code: result.exitCode ?? 1, out: result.stdout.toString(), err: result.stderr.toString() };
}

/** Where administrators' programs are, whatever the shell of the caller has. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Shows a command and runs it. @throws NetcombinerError with what it said when it fails */
export function step(machine: Machine, command: readonly string[]): void {
  machine.tell(`+ ${command.map(quoted).join(" ")}`);
  const { code, out, err } = machine.run(command);
  if (code === 0) return;
  const complaint = (err.trim() || out.trim() || `exit code ${code}`).split("\n").slice(-3).join("; ");
  throw new NetcombinerError(`${command[0]}: ${complaint}`, EXIT.OS);
}

/** As a shell wants it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
