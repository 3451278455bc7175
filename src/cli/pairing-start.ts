/** What `init` and `join` do when the configuration is written: have the tunnel run now, and after the next start of the host. */
import { startInBackground } from "../daemon/handover.ts";
import { configurationFiles } from "../daemon/paths.ts";
import type { Machine } from "../pairing/machine.ts";
import { enableService, findServiceManager } from "../pairing/service.ts";
import { endTunnel } from "./down.ts";
import type { Program } from "./program.ts";
import { isRunning } from "./running.ts";

/**
 * Starts the tunnel by the service manager, or by itself where there is none. One that runs is left alone, unless its
 * configuration is new.
 * @throws NetcombinerError with the reason when it does not start
 */
export async function startPaired(
  machine: Machine,
  name: string,
  path: string,
  isNew: boolean,
  program: Program,
): Promise<void> {
  const wasRunning = await isRunning(name);
  // A service reads the file in its place, not one that was named.
  const isInPlace = configurationFiles(name).includes(path);
  const manager = isInPlace ? findServiceManager(machine) : undefined;
  // One with the old configuration has the interface and would be in the way.
  if (wasRunning && isNew) {
    machine.tell(`+ netcombiner down ${name}`);
    await endTunnel(name);
  }
  if (manager) {
    const start = isNew ? "restart" : wasRunning ? "none" : "start";
    return enableService(machine, manager, { name, path, start });
  }
  const command = isInPlace ? `netcombiner up ${name}` : `netcombiner up ${name} -c ${path}`;
  if (!wasRunning || isNew) {
    machine.tell(`+ ${command}`);
    await startInBackground(name, path, program.entry, { setsUp: true, onProgress: machine.tell });
  } else machine.tell(`${name} is running already`);
  machine.tell(`No service manager was told: have "${command}" run when this host starts.`);
}
