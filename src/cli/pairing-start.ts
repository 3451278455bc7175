/** Starts the tunnel after `init` and `join`, now and whenever the host boots. */
import { startInBackground } from "../daemon/process/handover.ts";
import { configurationFiles } from "../daemon/process/locations.ts";
import type { Machine } from "../pairing/machine.ts";
import { enableService, findServiceManager } from "../pairing/service.ts";
import { endTunnel } from "./down-command.ts";
import type { Program } from "./program.ts";
import { isRunning } from "./running.ts";

/**
 * Starts the tunnel by the service manager, or in the background if there is none. A running tunnel is left alone unless
 * its configuration is new.
 * @throws NetcombinerError with the reason if it does not start
 */
export async function startPaired(
  machine: Machine,
  name: string,
  path: string,
  isNew: boolean,
  program: Program,
): Promise<void> {
  const wasRunning = await isRunning(name);
  // A service reads the standard path, not one given by --config.
  const isInPlace = configurationFiles(name).includes(path);
  const manager = isInPlace ? findServiceManager(machine) : undefined;
  // A tunnel with the old configuration still has the interface.
  if (wasRunning && isNew) {
    machine.print(`+ netcombiner down ${name}`);
    await endTunnel(name);
  }
  if (manager) {
    const start = isNew ? "restart" : wasRunning ? "none" : "start";
    return enableService(machine, manager, { name, path, start });
  }
  const command = isInPlace ? `netcombiner up ${name}` : `netcombiner up ${name} -c ${path}`;
  if (!wasRunning || isNew) {
    machine.print(`+ ${command}`);
    await startInBackground(name, path, program.entry, { setsUp: true, onProgress: machine.print });
  } else machine.print(`${name} is already running`);
  machine.print(`No service manager found: arrange for "${command}" to run when this host boots.`);
}
