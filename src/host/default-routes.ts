/**
 * Finds the interfaces that lead to the Internet: those with a default route, the preferred first. Linux lists routes in
 * /proc/net (`route`, `ipv6_route`), FreeBSD through netstat(1).
 */
import { existsSync, readFileSync } from "node:fs";
import { layout } from "../../ffi/layout.ts";

export interface DefaultRoute {
  readonly interface: string;
  readonly family: 4 | 6;
}

/** An interface and the IP versions that it has a default route for. */
export interface Uplink {
  readonly interface: string;
  readonly families: readonly (4 | 6)[];
}

/** Returns each interface with a default route once. Tunnels of other programs are left out: they use one of the others. */
export function uplinks(routes: readonly DefaultRoute[] = systemDefaultRoutes()): Uplink[] {
  const names = [...new Set(routes.map((route) => route.interface))];
  return names.map((name) => ({
    interface: name,
    families: ([4, 6] as const).filter((family) => routes.some((r) => r.interface === name && r.family === family)),
  }));
}

function systemDefaultRoutes(): DefaultRoute[] {
  if (layout.name === "freebsd") {
    const netstat = (family: string) => Bun.spawnSync(["/usr/bin/netstat", "-rn", "-f", family]).stdout.toString();
    return [...parseNetstat(netstat("inet"), 4), ...parseNetstat(netstat("inet6"), 6)];
  }
  const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const routes = [...parseProcRoute(read("/proc/net/route")), ...parseProcIpv6Route(read("/proc/net/ipv6_route"))];
  return routes.filter((route) => !isLinuxTunnel(route.interface));
}

/** ARPHRD_NONE of linux/if_arp.h: TUN and WireGuard have it, and so have some modems, which unlike them have a device. */
const NO_HARDWARE = "65534";

function isLinuxTunnel(name: string): boolean {
  const folder = `/sys/class/net/${name}`;
  if (!existsSync(`${folder}/type`)) return false;
  return readFileSync(`${folder}/type`, "utf8").trim() === NO_HARDWARE && !existsSync(`${folder}/device`);
}

/** Flags of linux/route.h. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

interface RouteWithMetric extends DefaultRoute {
  readonly metric: number;
}

/** Parses lines `Iface Destination Gateway Flags RefCnt Use Metric Mask ...`; all numbers but the metric are hexadecimal. */
export function parseProcRoute(text: string): DefaultRoute[] {
  const routes = text.split("\n").flatMap((line): RouteWithMetric[] => {
    const [name = "", destination, , flags = "", , , metric = "", mask] = line.split(/\s+/);
    const isDefault = destination === "00000000" && mask === "00000000" && isUsable(flags);
    return isDefault ? [{ interface: name, family: 4, metric: Number(metric) }] : [];
  });
  return byMetric(routes);
}

/** Parses lines `destination prefix source prefix next-hop metric references uses flags interface`, numbers in hexadecimal. */
export function parseProcIpv6Route(text: string): DefaultRoute[] {
  const routes = text.split("\n").flatMap((line): RouteWithMetric[] => {
    const [destination = "", prefix, , , , metric = "", , , flags = "", name = ""] = line.split(/\s+/);
    const isDefault = /^0{32}$/.test(destination) && prefix === "00" && isUsable(flags) && name !== "lo";
    return isDefault ? [{ interface: name, family: 6, metric: Number.parseInt(metric, 16) }] : [];
  });
  return byMetric(routes);
}

/** Parses lines `Destination Gateway Flags Netif Expire` of netstat(1) on FreeBSD. */
export function parseNetstat(text: string, family: 4 | 6): DefaultRoute[] {
  return text.split("\n").flatMap((line) => {
    const [destination, , flags = "", name] = line.trim().split(/\s+/);
    const isUp = flags.includes("U") && !/[RB]/.test(flags);
    return destination === "default" && isUp && name !== undefined ? [{ interface: name, family }] : [];
  });
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0;
}

function byMetric(routes: RouteWithMetric[]): DefaultRoute[] {
  const sorted = routes.toSorted((a, b) => a.metric - b.metric);
  return sorted.map(({ interface: name, family }) => ({ interface: name, family }));
}
