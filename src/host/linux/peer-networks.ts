/** Networks behind the other end: routes by the tunnel, in the main table unless another is named. */
import type { Family } from "../request.ts";
import type { Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { addRoute } from "./routes.ts";

export function peerNetworkSteps(context: LinuxContext): Step[] {
  return context.configuration.system.peerNetworks.flatMap(({ family, address, prefix }) =>
    peerRoute(context, family, `${address}/${prefix}`, "it is behind the other end"),
  );
}

export function peerRoute({ name, configuration }: LinuxContext, family: Family, to: string, why: string): Step[] {
  const { table } = configuration.system;
  if (table === "off") return [];
  return [addRoute(family, `${to} dev ${name}${table === "auto" ? "" : ` table ${table}`}`, why)];
}
