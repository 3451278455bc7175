/** Sends commands to the running tunnels. */
import { type AskOptions, askControl, controlledInterfaces } from "../daemon/control/client.ts";
import { socketPath } from "../daemon/process/locations.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import { assertInterfaceName, usageError } from "./arguments.ts";

/** Sends a command to a tunnel and returns its answer. @throws NetcombinerError `UNAVAILABLE` if it does not run, and what `askControl` throws */
export async function askTunnel(
  interfaceName: string,
  command: string,
  options: AskOptions = {},
): Promise<Record<string, unknown>> {
  try {
    return await askControl(socketPath(interfaceName), command, options);
  } catch (error) {
    if (!isNotRunning(error)) throw error;
    throw new NetcombinerError(`${interfaceName} is not running`, EXIT.UNAVAILABLE, { cause: error });
  }
}

export function isNotRunning(error: unknown): boolean {
  return error instanceof NetcombinerError && error.exitCode === EXIT.UNAVAILABLE;
}

/** Returns the interface that was named, or that of the only running tunnel. @throws NetcombinerError when none runs, or several do */
export async function chosenInterface(name: string | undefined): Promise<string> {
  if (name !== undefined) {
    assertInterfaceName(name);
    return name;
  }
  const names = controlledInterfaces();
  const running = await Promise.all(names.map((candidate) => isRunning(candidate)));
  const [only, ...others] = names.filter((_, i) => running[i]);
  if (only === undefined)
    throw new NetcombinerError("no tunnel is running; netcombiner INTERFACE starts one", EXIT.UNAVAILABLE);
  if (others.length === 0) return only;
  throw usageError(`several tunnels are running, name one of them: ${[only, ...others].join(", ")}`);
}

/** True if the tunnel answers; a control socket alone may be left over from a crash. */
export async function isRunning(name: string): Promise<boolean> {
  try {
    await askTunnel(name, "status");
    return true;
  } catch (error) {
    if (isNotRunning(error)) return false;
    throw error;
  }
}

/** Returns the report of a tunnel. @throws NetcombinerError as `askTunnel` */
export async function reportOf(name: string): Promise<TunnelReport> {
  const { ok: _, ...report } = await askTunnel(name, "show");
  return report as unknown as TunnelReport;
}

/** Returns the reports of all running tunnels, without those whose control socket is left over from a crash. */
export async function reportAll(): Promise<TunnelReport[]> {
  const reports = controlledInterfaces().map((name) =>
    reportOf(name).catch((error: unknown) => {
      if (isNotRunning(error)) return undefined;
      throw error;
    }),
  );
  return (await Promise.all(reports)).filter((report) => report !== undefined);
}
