/**
 * Links keep their own routes: what leaves from the address of an interface that leads to the Internet leaves by it, with
 * the router it has there. That keeps links apart, and what answers from such an address out of the tunnel.
 */
import { contains, type Family, networkText, type OwnAddress } from "../request.ts";
import type { Step } from "../step.ts";
import type { LinuxContext } from "./context.ts";
import { addRoute, addRule, PRIORITY } from "./routes.ts";
import { defaultRoutesOf, type LinuxState, type Route } from "./state.ts";

/** Nothing where there is but one way, unless the tunnel is to become another. */
export function sourceRouteSteps(context: LinuxContext, family: Family, tunnelIsDefault: boolean): Step[] {
  const { state, name } = context;
  const ways = new Map<string, Route>();
  for (const route of defaultRoutesOf(state, family)) {
    if (route.device !== name && !ways.has(route.device)) ways.set(route.device, route);
  }
  if (ways.size < 2 && !tunnelIsDefault) return [];
  return [...ways.values()].flatMap((route) => stepsOf(context, route));
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
        `${device} has its own way to its neighbours`,
        `${name} near ${address}`,
      ),
    ),
    addRoute(
      family,
      `default ${via}dev ${device} table ${table}${onLink}`,
      `the way out of ${device}`,
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
              `neighbours of ${device} are met there`,
              `${name} near rule ${source}`,
            ),
          ]),
      addRule(
        family,
        PRIORITY.linkSpecific,
        `from ${source} lookup main suppress_prefixlength 0`,
        "networks with routes of their own keep them",
        `specific ${family} ${source}`,
      ),
      addRule(
        family,
        PRIORITY.link,
        `from ${source} lookup ${table}`,
        `what is from ${device} leaves by it`,
        `${name} rule ${source}`,
      ),
    ]),
  ];
}

/** IPv6 hosts change addresses within their network; an IPv4 network may hold other interfaces of ours. */
function sourceOf(state: LinuxState, own: OwnAddress): string {
  const { family, address, prefix } = own;
  return family === 4 || prefix > 64 || isShared(state, own) ? address : networkText(address, prefix);
}

/** Another interface lies in the same network (dissertation 3.3.3). */
function isShared(state: LinuxState, own: OwnAddress): boolean {
  return state.addresses.some(({ device, address }) => device !== own.device && contains(own, address));
}
