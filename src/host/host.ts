/**
 * What the tunnel needs of the host: an interface with addresses and MTU, and the addresses of other interfaces.
 * The two systems differ in how; `linux.ts` asks the kernel, `freebsd.ts` runs ifconfig.
 */
import { networkInterfaces } from "node:os";
import { layout } from "../../ffi/layout.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { runCommand } from "./command.ts";
import { configureFreebsd, deleteFreebsd } from "./freebsd.ts";
import { configureLinux, deleteLinux, hasIndex } from "./linux.ts";

export interface InterfaceSettings {
  /** "10.1.2.1/24", "fd00::1/64"; without a prefix length the address alone. */
  readonly addresses: readonly string[];
  /** Bytes. */
  readonly mtu: number;
  /** Packets; Linux only. */
  readonly txQueueLength?: number;
}

export interface InterfaceAddress {
  readonly address: Endpoint;
  readonly prefix: number;
}

/** Sets MTU, addresses and up, in that order. @throws NetcombinerError naming what the system refused */
export async function configureInterface(
  name: string,
  settings: InterfaceSettings,
  signal: AbortSignal,
): Promise<void> {
  const addresses = settings.addresses.map(parseInterfaceAddress);
  if (layout.name === "linux") configureLinux(name, settings, addresses, signal);
  else await configureFreebsd(name, settings, addresses, signal, runCommand);
}

/** Deletes the interface; on FreeBSD its device must be closed before, or this waits for it. */
export async function deleteInterface(name: string, signal: AbortSignal): Promise<void> {
  if (layout.name === "linux") deleteLinux(name);
  else await deleteFreebsd(name, signal, runCommand);
}

/** The addresses of an interface as node:os tells them: only of interfaces that are up. */
export type AddressLookup = () => ReturnType<typeof networkInterfaces>;

/**
 * Addresses of the interface that can send, port 0, IPv4 first. IPv6 are global ones, link-local only when there is
 * nothing else of that family.
 * @throws NetcombinerError when the interface does not exist or has no address
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

/** Whether there is an interface of that name, up or not. */
export function interfaceExists(name: string): boolean {
  return hasIndex(name);
}

/** @throws NetcombinerError when it is no address with a prefix length of its family */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const [host = "", length, ...rest] = text.split("/");
  const address = host.includes("%") ? undefined : parseEndpoint(host);
  const most = host.includes(":") ? 128 : 32;
  const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (!address || rest.length > 0 || prefix < 0 || prefix > most) {
    throw new NetcombinerError(`${text} is no interface address; write 10.1.2.1/24 or fd00::1/64`, EXIT.CONFIG);
  }
  return { address, prefix };
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
