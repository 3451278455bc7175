/** The input of the planners: the configuration of one tunnel, with functions that both systems' planners need. */
import type { Configuration } from "../config/configuration.ts";
import type { SystemConfiguration } from "../config/system-configuration.ts";
import type { PortRange } from "../config/system-values.ts";
import { addressOf, createEndpoint, formatAddress, parseEndpoint, sameAddress } from "../endpoint.ts";
import type { SshSession } from "./ssh-session.ts";

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** TCP port of the speed test at an address in the tunnel; both portals offer it when the other one asks. */
export const SPEED_TEST_PORT = 4726;

/**
 * Networks that the Internet does not route (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291): if this host reaches one, it
 * is the host's own, as a container's bridge, a provider's internal network, or 169.254.169.254 with the cloud's metadata.
 */
export const PRIVATE: Readonly<Record<Family, readonly string[]>> = {
  4: ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
  6: ["fc00::/7", "fe80::/10"],
};

/** An address of one of this host's interfaces. */
export interface OwnAddress {
  readonly family: Family;
  readonly device: string;
  readonly address: string;
  readonly prefix: number;
}

export interface SystemRequest {
  /** The tunnel's interface. */
  readonly name: string;
  readonly configuration: Configuration;
  /** The SSH session that must survive, if the command was typed in one. */
  readonly ssh: SshSession | undefined;
}

/** True if a host behind the local portal uses an address of the remote one; false if NAT is used. */
export function lendsAddress(system: SystemConfiguration): boolean {
  return system.clientAddresses.length > 0;
}

/** Returns the IP versions that go through the tunnel: those of the client's addresses, or of the tunnel's with NAT. */
export function familiesOf({ system, addresses }: Configuration): Family[] {
  const has = lendsAddress(system) ? system.clientAddresses : addresses;
  return FAMILIES.filter((family) => has.some((address) => address.family === family));
}

/** Returns the ports and IP protocol numbers on which the tunnel's own datagrams arrive. */
export function tunnelPorts({ links }: Configuration): { ports: PortRange[]; protocols: number[] } {
  const listeners = links.filter(({ settings }) => settings.role === "listen");
  const ports = listeners.flatMap(({ settings, transport }): PortRange[] => {
    if (settings.method === "IP") return [];
    const protocol = settings.method === "UDP" ? "udp" : "tcp";
    return [{ protocol, first: transport.localPort, last: transport.localPort }];
  });
  const protocols = links.flatMap(({ settings, transport }) => (settings.method === "IP" ? [transport.protocol] : []));
  return { ports, protocols: [...new Set(protocols)] };
}

/** Returns the hosts behind the tunnel that ports are forwarded to and that no other route covers, each once. */
export function forwardTargets({ system, addresses }: Configuration): { family: Family; address: string }[] {
  if (system.role !== "remote") return [];
  const known = [...system.peerNetworks, ...addresses];
  const unknown = system.forwards.filter(({ address }) => !known.some((network) => contains(network, address)));
  return [...new Map(unknown.map(({ family, address }) => [address, { family, address }])).values()];
}

/** Returns the ports that stay at the remote portal: the tunnel's, KeepPorts, and that of the SSH session. */
export function keptPorts({ configuration, ssh }: SystemRequest): PortRange[] {
  const own: readonly PortRange[] = ssh ? [{ protocol: "tcp", first: ssh.serverPort, last: ssh.serverPort }] : [];
  return [...tunnelPorts(configuration).ports, ...configuration.system.keepPorts, ...own];
}

/** True if both texts are the same address, in whatever form it is written. */
export function sameAddressText(a: string, b: string): boolean {
  const [one, other] = [parseEndpoint(a), parseEndpoint(b)];
  return one !== undefined && other !== undefined && sameAddress(one, other);
}

/** True if the address lies in the network. */
export function contains(network: { readonly address: string; readonly prefix: number }, address: string): boolean {
  const [base, inside] = [network.address, address].map((text) => addressOf(parseEndpoint(text) ?? createEndpoint()));
  if (!base || base.length === 0 || base.length !== inside?.length) return false;
  return base.every((byte, i) => ((byte ^ (inside[i] as number)) & maskAt(i, network.prefix)) === 0);
}

/** Returns the network that an address with this prefix length lies in. */
export function networkText(address: string, prefix: number): string {
  const endpoint = (parseEndpoint(address) ?? createEndpoint()).slice();
  const bytes = addressOf(endpoint);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) & maskAt(i, prefix);
  return `${formatAddress(endpoint)}/${prefix}`;
}

/** Returns byte `i` of a network's mask. */
function maskAt(i: number, prefix: number): number {
  return (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))) & 0xff;
}

/** Returns text like "22" or "5060-5070". */
export function portText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Returns the ports of one protocol, sorted, without duplicates. */
export function portList(ranges: readonly PortRange[], protocol: PortRange["protocol"]): string[] {
  const wanted = ranges.filter((range) => range.protocol === protocol);
  const sorted = wanted.toSorted((a, b) => a.first - b.first || b.last - a.last);
  const apart = sorted.filter((range, i) => !sorted.slice(0, i).some((before) => before.last >= range.last));
  return apart.map(portText);
}
