/** Speaks to the running tunnel of an interface, with errors that name it. */
import { askControl } from "../daemon/control-client.ts";
import { socketPath } from "../daemon/paths.ts";
import { EXIT, NetcombinerError } from "../errors.ts";

/** @throws NetcombinerError `UNAVAILABLE` "nc0 is not running", and what `askControl` throws */
export async function askTunnel(interfaceName: string, command: string): Promise<Record<string, unknown>> {
  try {
    return await askControl(socketPath(interfaceName), command);
  } catch (error) {
    if (!isNotRunning(error)) throw error;
    throw new NetcombinerError(`${interfaceName} is not running`, EXIT.UNAVAILABLE, { cause: error });
  }
}

export function isNotRunning(error: unknown): boolean {
  return error instanceof NetcombinerError && error.exitCode === EXIT.UNAVAILABLE;
}
