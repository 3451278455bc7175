/**
 * Routes by source address: packets from the address of an interface with a default route leave by that interface and its
 * router. This keeps links apart, and keeps answers from such an address out of the tunnel.
 */
import { contains, type Family, networkText, type OwnAddress } from "../request.ts";
import type { Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { addRoute, addRule, PRIORITY } from "./routes.ts";
import { defaultRoutesOf, type LinuxState, type Route } from "./state.ts";

/** Returns nothing if there is a single default route, unless the tunnel becomes another one. */
export function sourceRouteSteps(context: LinuxContext, family: Family, tunnelIsDefault: boolean): Step[] {
  const { state, name } = context;
  const byDevice = new Map<string, Route>();
  for (const route of defaultRoutesOf(state, family)) {
    if (route.device !== name && !byDevice.has(route.device)) byDevice.set(route.device, route);
  }
  if (byDevice.size < 2 && !tunnelIsDefault) return [];
  return [...byDevice.values()].flatMap((route) => stepsOf(context, route));
}

function stepsOf(context: LinuxContext, route: Route): Step[] {
  const { state } = context;
  const { family, device } = route;
  const own = state.addresses.filter((address) => address.family === family && address.device === device);
  const sources = [...new Set(own.map((address) => sourceOf(state, address)))];
  if (sources.length === 0) return [];
  const table = context.table();
  const name = `link ${device} ${family} ${sources.join(" ")}`;
  const via = route.gateway === undefined ? "" : `via ${route.gateway} `;
  const onLink = route.isOnLink ? " onlink" : "";
  const shared = own.filter((address) => isShared(state, address));
  return [
    ...shared.map(({ address, prefix }) =>
      addRoute(
        family,
        `${networkText(address, prefix)} dev ${device} table ${table}`,
        `${device} reaches its neighbours itself`,
        `${name} near ${address}`,
      ),
    ),
    addRoute(
      family,
      `default ${via}dev ${device} table ${table}${onLink}`,
      `default route of ${device}`,
      `${name} route`,
    ),
    ...sources.flatMap((source) => [
      ...(shared.length === 0
        ? []
        : [
            addRule(
              family,
              PRIORITY.linkNear,
              `from ${source} lookup ${table} suppress_prefixlength 0`,
              `neighbours of ${device} are reached by it`,
              `${name} near rule ${source}`,
            ),
          ]),
      addRule(
        family,
        PRIORITY.linkSpecific,
        `from ${source} lookup main suppress_prefixlength 0`,
        "networks with specific routes keep them",
        `specific ${family} ${source}`,
      ),
      addRule(
        family,
        PRIORITY.link,
        `from ${source} lookup ${table}`,
        `packets from ${device}'s address leave by it`,
        `${name} rule ${source}`,
      ),
    ]),
  ];
}

/** Returns the source to match: IPv6 hosts change addresses within their network, IPv4 subnets may hold other interfaces. */
function sourceOf(state: LinuxState, own: OwnAddress): string {
  const { family, address, prefix } = own;
  return family === 4 || prefix > 64 || isShared(state, own) ? address : networkText(address, prefix);
}

/** True if another interface has an address in the same network (dissertation 3.3.3). */
function isShared(state: LinuxState, own: OwnAddress): boolean {
  return state.addresses.some(({ device, address }) => device !== own.device && contains(own, address));
}
