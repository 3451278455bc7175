/**
 * Implements `netcombiner down nc0`, which ends a tunnel and returns when its process, and with it the interface, is gone. The process
 * undoes what `up` did; what a crashed one left is undone here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { defineCommand } from "citty";
import { runDirectory } from "../daemon/process/locations.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { Journal, journalPath } from "../host/journal.ts";
import { HostSystem, undoLines } from "../host/system.ts";
import { assertInterfaceName, DRY_RUN_ARGUMENT } from "./arguments.ts";
import { askTunnel, isNotRunning } from "./running.ts";
import { supervisorStop } from "./supervisor.ts";

/** Longest wait for the process to end; the user's own commands (PreDown, PostDown) may take their time. */
const TIMEOUT_MS = 60_000;
const STEP_MS = 20;

export const downCommand = defineCommand({
  meta: { name: "netcombiner down", description: "End a tunnel and undo what up did" },
  args: {
    interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" },
    "dry-run": DRY_RUN_ARGUMENT,
  },
  async run({ args }) {
    assertInterfaceName(args.interface);
    if (args["dry-run"]) return undoLines(journalOf(args.interface)).forEach((line) => void console.log(line));
    const stop = await endTunnel(args.interface);
    if (stop) console.error(`a service restarts ${args.interface} in a few seconds; to stop it for good: ${stop}`);
  },
});

/**
 * Ends the tunnel and undoes what is left of `up`.
 * @returns the command that stops the service which restarts it; undefined when there is none
 * @throws NetcombinerError when it does not end, or when none runs and nothing is left to undo
 */
export async function endTunnel(name: string): Promise<string | undefined> {
  const before = journalOf(name);
  const stop = await endProcess(name, before.entries.length > 0);
  // The process removes from the journal what it undid.
  const done = before.entries.slice(journalOf(name).entries.length);
  for (const line of undoLines({ entries: done })) showStep("command", line);
  await new HostSystem({ name, journalPath: before.path, print: showStep }).heal();
  return stop;
}

async function endProcess(name: string, isLeft: boolean): Promise<string | undefined> {
  const answer = await askTunnel(name, "down").catch((error: unknown) => {
    if (isLeft && isNotRunning(error)) return undefined;
    throw error;
  });
  if (!answer) return undefined;
  const stop = supervisorStop(name, Number(answer.pid));
  for (let waited = 0; waited < TIMEOUT_MS; waited += STEP_MS) {
    if (!isAlive(Number(answer.pid))) return stop;
    await Bun.sleep(STEP_MS);
  }
  throw new NetcombinerError(
    `${name} did not end within ${TIMEOUT_MS / 1_000} s; end process ${answer.pid} with kill -9, then run down again`,
    EXIT.TEMPORARY,
  );
}

function journalOf(name: string): Journal {
  return new Journal(journalPath(runDirectory(), name));
}

function showStep(kind: "command" | "warning", text: string): void {
  console.error(kind === "command" ? `[#] ${text}` : text);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** True if the process has ended and released everything, though its parent, usually init, has not noticed yet. */
function isZombie(pid: number): boolean {
  try {
    // The state follows the name in brackets, which may hold anything (proc_pid_stat(5)). It is the state of the first thread; the
    // others may still hold resources of the process.
    const isOver = /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return isOver && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return false;
  }
}
