/** `netcombiner down nc0`: ends a tunnel and returns when its process, and with it the interface, is gone. */
import { readFileSync } from "node:fs";
import { defineCommand } from "citty";
import { EXIT, NetcombinerError } from "../errors.ts";
import { assertInterfaceName } from "./arguments.ts";
import { askTunnel } from "./running.ts";

const PATIENCE_MS = 10_000;
const STEP_MS = 20;

export const downCommand = defineCommand({
  meta: { name: "netcombiner down", description: "End a tunnel" },
  args: { interface: { type: "positional", required: true, description: "name of the tunnel's interface, like nc0" } },
  async run({ args }) {
    assertInterfaceName(args.interface);
    await endTunnel(args.interface);
  },
});

/** @throws NetcombinerError when it does not run, or does not end */
export async function endTunnel(interfaceName: string): Promise<void> {
  const { pid } = await askTunnel(interfaceName, "down");
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    if (!isAlive(Number(pid))) return;
    await Bun.sleep(STEP_MS);
  }
  throw new NetcombinerError(`${interfaceName} does not end, pid ${pid}`, EXIT.TEMPORARY);
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
    // The state follows the name in brackets, which may hold anything (proc_pid_stat(5)).
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
