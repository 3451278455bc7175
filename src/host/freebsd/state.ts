/** The state of a FreeBSD host before any change, as far as the planner needs it; read by netstat(1), sysctl(8), pfctl(8). */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { CommandFailure, outputOf } from "../command.ts";
import { FAMILIES, type Family, type OwnAddress } from "../request.ts";

export interface Gateway {
  readonly family: Family;
  readonly device: string;
  readonly address: string;
}

export interface FreebsdState {
  readonly addresses: readonly OwnAddress[];
  /** Routers of default routes, and of DHCP leases of interfaces without one. */
  readonly gateways: readonly Gateway[];
  /** Addresses of the DNS servers in resolv.conf. */
  readonly nameServers: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly pf: PfState;
}

export interface PfState {
  readonly isEnabled: boolean;
  /** Lines of `ANCHORS` that the main rules lack. */
  readonly missingAnchors: readonly string[];
}

/** Lines that pf.conf needs, once, for our rules to take effect; in this order. */
export const ANCHORS = ['nat-anchor "netcombiner/*"', 'rdr-anchor "netcombiner/*"', 'anchor "netcombiner/*"'] as const;

export const FORWARDING: Readonly<Record<Family, string>> = {
  4: "net.inet.ip.forwarding",
  6: "net.inet6.ip6.forwarding",
};

export async function readFreebsdState(): Promise<FreebsdState> {
  const routes = await Promise.all(
    FAMILIES.map(async (family) =>
      parseGateways(family, await outputOrEmpty(`netstat -rn -f inet${family === 6 ? "6" : ""}`)),
    ),
  );
  const addresses = readAddresses();
  const gateways = routes.flat();
  const unknown = [...new Set(addresses.map(({ device }) => device))].filter(
    (device) => !gateways.some((gateway) => gateway.device === device && gateway.family === 4),
  );
  const leased = unknown.flatMap((device) => parseLease(device, readText(`/var/db/dhclient.leases.${device}`)));
  const sysctls = await Promise.all(
    Object.values(FORWARDING).map(async (name) => [name, (await outputOrEmpty(`sysctl -n ${name}`)).trim()] as const),
  );
  return {
    addresses,
    gateways: [...gateways, ...leased],
    nameServers: parseNameServers(readText("/etc/resolv.conf")),
    sysctls: Object.fromEntries(sysctls),
    pf: parsePf(
      await outputOrEmpty("pfctl -s info"),
      `${await outputOrEmpty("pfctl -s nat")}\n${await outputOrEmpty("pfctl -s rules")}`,
    ),
  };
}

/** Returns the command's output, empty if it fails: pf may not be loaded, IPv6 may be missing. */
async function outputOrEmpty(words: string): Promise<string> {
  return await outputOf(words).catch((error: unknown) => {
    if (error instanceof CommandFailure) return "";
    throw error;
  });
}

/** Parses lines like "default  10.77.0.1  UGS  em0". */
export function parseGateways(family: Family, table: string): Gateway[] {
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([destination, address = "", flags = "", device = ""]) =>
    destination === "default" && flags.includes("G") && device !== "" ? [{ family, device, address }] : [],
  );
}

/** Returns the router of the last lease in dhclient.leases(5). */
export function parseLease(device: string, text: string): Gateway[] {
  const last = [...text.matchAll(/^\s*option routers ([\d.]+)/gm)].at(-1)?.[1];
  return last === undefined ? [] : [{ family: 4, device, address: last }];
}

export function parseNameServers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address as string);
}

export function parsePf(info: string, rules: string): PfState {
  const lines = rules.split("\n").map((line) => line.trim());
  // pfctl adds " all" to an anchor without a condition.
  const missingAnchors = ANCHORS.filter((anchor) => !lines.some((line) => line === anchor || line === `${anchor} all`));
  return { isEnabled: /^Status: Enabled/m.test(info), missingAnchors };
}

function readAddresses(): OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([device, entries = []]) =>
    entries
      .filter(({ address, internal }) => !internal && !/^fe80/i.test(address))
      .map(({ family, address, cidr }) => ({
        family: family === "IPv6" ? (6 as const) : (4 as const),
        device,
        address,
        prefix: Number(cidr?.split("/")[1] ?? (family === "IPv6" ? 128 : 32)),
      })),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
