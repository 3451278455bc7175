/**
 * `netcombiner down nc0`: ends a tunnel and returns when its process, and with it the interface, is gone. The process takes
 * back what `up` did; where it cannot any more, this does.
 */
import { readdirSync, readFileSync } from "node:fs";
import { defineCommand } from "citty";
import { runDirectory } from "../daemon/paths.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { Journal, journalPath } from "../host/journal.ts";
import { HostSystem, undoLines } from "../host/system.ts";
import { assertInterfaceName, DRY_RUN_ARGUMENT } from "./arguments.ts";
import { askTunnel, isNotRunning } from "./running.ts";
import { supervisorStop } from "./supervisor.ts";

/** The user's own commands may take their time. */
const PATIENCE_MS = 60_000;
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
    if (stop) console.error(`a service starts ${args.interface} again in a few seconds; to end it for good: ${stop}`);
  },
});

/**
 * @returns the command that ends it for good, where a service starts it again
 * @throws NetcombinerError unless it ends, or none runs and something is left to be undone
 */
export async function endTunnel(name: string): Promise<string | undefined> {
  const before = journalOf(name);
  const stop = await endProcess(name, before.entries.length > 0);
  // What the process took back is not in the journal any more.
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
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    if (!isAlive(Number(answer.pid))) return stop;
    await Bun.sleep(STEP_MS);
  }
  throw new NetcombinerError(`${name} does not end, pid ${answer.pid}`, EXIT.TEMPORARY);
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

/** A process that ended has let go of everything, even if its parent, as a rule init, takes its time to notice. */
function isZombie(pid: number): boolean {
  try {
    // The state follows the name in brackets, which may hold anything (proc_pid_stat(5)). It is that of the first thread; what
    // the process holds, the others may still be letting go of.
    const isOver = /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return isOver && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return false;
  }
}
