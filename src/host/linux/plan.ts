/** Plans everything that `up` does on Linux besides the interface, in order. Pure. */
import type { SystemRequest } from "../request.ts";
import { formatCommand, type Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { localSteps } from "./local.ts";
import { neighbourSysctls } from "./neighbour-sysctls.ts";
import { remoteSteps } from "./remote.ts";
import { peerNetworkSteps, tableNumbers } from "./routes.ts";
import type { LinuxState } from "./state.ts";
import { sysctlCommand } from "./sysctls.ts";

/** First routing table that is used; the number is the dissertation's port. */
const FIRST_TABLE = 4725;

/** Returns the steps, in order. @throws NetcombinerError if the configuration does not fit the host */
export function planLinux(request: SystemRequest, state: LinuxState): Step[] {
  const { name, configuration } = request;
  const { role, table } = configuration.system;
  const tables = tableNumbers(state, typeof table === "number" ? table : undefined, FIRST_TABLE);
  const context: LinuxContext = { name, configuration, request, state, table: tables };
  const byRole = role === "remote" ? remoteSteps(context) : role === "local" ? localSteps(context) : [];
  return [...peerNetworkSteps(context), ...byRole];
}

/** Returns commands equivalent to what the program does to its interface itself, for the user to read. */
export function linuxInterfaceCommands({ name, configuration }: SystemRequest): string[] {
  return [
    ...neighbourSysctls(name).map(([key, value]) => formatCommand(sysctlCommand(key, value))),
    ...configuration.addresses.map(
      ({ family, address, prefix }) => `ip -${family} address add ${address}/${prefix} dev ${name}`,
    ),
    `ip link set mtu ${configuration.tunnel.mtu} up dev ${name}`,
  ];
}
