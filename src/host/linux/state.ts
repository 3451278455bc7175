/** The state of a Linux host before any change, as far as the planner needs it; read by ip(8) and from /proc/sys. */
import { readdirSync, readFileSync } from "node:fs";
import { outputOf } from "../command.ts";
import { FAMILIES, type Family, type OwnAddress } from "../request.ts";

export interface Route {
  readonly family: Family;
  readonly table: number;
  /** The destination: `default`, or a network or address in the form of ip(8). */
  readonly to: string;
  readonly gateway: string | undefined;
  readonly device: string;
  readonly isOnLink: boolean;
}

export interface Rule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
}

export interface LinuxState {
  readonly addresses: readonly OwnAddress[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Returns the value of a kernel variable like `net/ipv4/ip_forward`; undefined if there is none. */
  sysctl(key: string): string | undefined;
  /** Returns the names in a folder of kernel variables, sorted. */
  sysctlNames(folder: string): readonly string[];
}

const TABLE = { main: 254 } as const;

export async function readLinuxState(): Promise<LinuxState> {
  const ask = async (words: string) => JSON.parse((await outputOf(words)).trim() || "[]");
  const each = async <T>(words: (family: Family) => string, read: (family: Family, entry: Json) => T[]) => {
    const lists = await Promise.all(
      FAMILIES.map(async (family) => ((await ask(words(family))) as Json[]).flatMap((entry) => read(family, entry))),
    );
    return lists.flat();
  };
  return {
    addresses: readAddresses((await ask("ip -N -j address show")) as Json[]),
    routes: await each((family) => `ip -N -j -${family} route show table all`, readRoute),
    rules: await each((family) => `ip -N -j -${family} rule show`, readRule),
    sysctl: readSysctl,
    sysctlNames: (folder) => (readSysctlFolder(folder) ?? []).toSorted(),
  };
}

/** Returns the default routes of the main table. */
export function defaultRoutesOf({ routes }: LinuxState, family: Family): Route[] {
  const inMain = routes.filter((route) => route.family === family && route.table === TABLE.main);
  return inMain.filter(({ to, device }) => to === "default" && device !== "");
}

type Json = Readonly<Record<string, unknown>>;

function readAddresses(interfaces: readonly Json[]): OwnAddress[] {
  return interfaces.flatMap(({ ifname, addr_info: list }) =>
    (Array.isArray(list) ? (list as Json[]) : [])
      // Link-local addresses are of no use beyond their link.
      .filter(({ scope }) => scope === "global" || scope === "0")
      .map(({ family, local, prefixlen }) => ({
        family: family === "inet6" ? 6 : 4,
        device: String(ifname),
        address: String(local),
        prefix: Number(prefixlen),
      })),
  );
}

export function readRoute(family: Family, entry: Json): Route[] {
  const hops = Array.isArray(entry.nexthops) ? (entry.nexthops as Json[]) : [entry];
  return hops.map((hop) => ({
    family,
    table: Number(entry.table ?? TABLE.main),
    to: String(entry.dst),
    gateway: hop.gateway === undefined ? undefined : String(hop.gateway),
    device: String(hop.dev ?? ""),
    isOnLink: Array.isArray(hop.flags) && hop.flags.includes("onlink"),
  }));
}

function readRule(family: Family, { priority, table }: Json): Rule[] {
  return [{ family, priority: Number(priority), table: Number(table) }];
}

function readSysctl(key: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${key}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function readSysctlFolder(folder: string): string[] | undefined {
  try {
    return readdirSync(`/proc/sys/${folder}`);
  } catch {
    return undefined;
  }
}
