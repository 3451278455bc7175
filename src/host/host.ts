/**
 * Configures the tunnel's interface (addresses, MTU, up) and finds the addresses of other interfaces.
 * `linux.ts` does it by rtnetlink, `freebsd.ts` by ifconfig.
 */
import { networkInterfaces } from "node:os";
import { layout } from "../../ffi/layout.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { runCommand } from "./command.ts";
import { configureFreebsd, deleteFreebsd } from "./freebsd.ts";
import { configureLinux, deleteLinux, hasIndex } from "./linux.ts";

export interface InterfaceSettings {
  /** Texts like "10.1.2.1/24" or "fd00::1/64"; the prefix length defaults to that of a single address. */
  readonly addresses: readonly string[];
  /** Largest packet, bytes. */
  readonly mtu: number;
  /** Packets that the kernel queues for reading; Linux only. */
  readonly txQueueLength?: number;
}

/** An address with the prefix length of its network. */
export interface PrefixedAddress {
  readonly address: Endpoint;
  readonly prefix: number;
}

/**
 * Sets MTU, kernel variables that make the interface ignore what the peer says as a neighbour, addresses, and up, in this
 * order. Returns the kernel variables that could not be set.
 * @throws NetcombinerError with the system's error
 */
export async function configureInterface(
  name: string,
  settings: InterfaceSettings,
  signal: AbortSignal,
): Promise<string[]> {
  const addresses = settings.addresses.map(parsePrefixedAddress);
  if (layout.name === "linux") return configureLinux(name, settings, addresses, signal);
  await configureFreebsd(name, settings, addresses, signal, runCommand);
  return [];
}

/** Deletes the interface. On FreeBSD this waits until its device is closed. */
export async function deleteInterface(name: string, signal: AbortSignal): Promise<void> {
  if (layout.name === "linux") deleteLinux(name);
  else await deleteFreebsd(name, signal, runCommand);
}

/** Returns the addresses of all interfaces that are up, as node:os does. */
export type AddressLookup = () => ReturnType<typeof networkInterfaces>;

/**
 * Returns the addresses that the interface can send from, with port 0, IPv4 first. IPv6 addresses are global; link-local
 * ones are returned only if there are no others.
 * @throws NetcombinerError if the interface does not exist or has no address
 */
export function interfaceAddresses(name: string, lookup: AddressLookup = networkInterfaces): Endpoint[] {
  const entries = lookup()[name] ?? [];
  const four = entries.filter((entry) => entry.family === "IPv4");
  const six = entries.filter((entry) => entry.family === "IPv6");
  const global = six.filter((entry) => !isLinkLocal(entry.address));
  const chosen = [...four, ...(global.length > 0 ? global : six)];
  const endpoints = chosen.flatMap((entry) => {
    const scope = "scopeid" in entry && entry.scopeid && isLinkLocal(entry.address) ? `%${entry.scopeid}` : "";
    return parseEndpoint((entry.address.split("%")[0] ?? "") + scope) ?? [];
  });
  if (endpoints.length > 0) return endpoints;
  const exists = entries.length > 0 || interfaceExists(name);
  const problem = exists ? "has no address" : "does not exist";
  throw new NetcombinerError(`interface ${name} ${problem}`, EXIT.UNAVAILABLE);
}

/** True if there is an interface of that name, up or down. */
export function interfaceExists(name: string): boolean {
  return hasIndex(name);
}

/** Parses an address with or without prefix length. @throws NetcombinerError if it is none */
export function parsePrefixedAddress(text: string): PrefixedAddress {
  const [host = "", length, ...rest] = text.split("/");
  const address = host.includes("%") ? undefined : parseEndpoint(host);
  const most = host.includes(":") ? 128 : 32;
  const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (!address || rest.length > 0 || prefix < 0 || prefix > most) {
    throw new NetcombinerError(
      `${text} is not an interface address; write it like 10.1.2.1/24 or fd00::1/64`,
      EXIT.CONFIG,
    );
  }
  return { address, prefix };
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
