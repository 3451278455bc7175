/** The remote portal's half of pairing: what `init` makes, and the token for what is there already. */
import type { networkInterfaces } from "node:os";
import type { Configuration } from "../config/configuration.ts";
import { DEFAULT_MTU, DEFAULT_PORT } from "../config/defaults.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { drawTunnelAddresses, hostAddresses, publicHosts } from "./networks.ts";
import type { Pairing, TunnelAddress } from "./token.ts";

export interface RemoteWishes {
  /** Names or addresses that the local portal shall connect to; without any, this host's public addresses. */
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  /** Addresses in the tunnel; without any, drawn by chance. */
  readonly addresses: readonly TunnelAddress[];
}

/** What is new: a key, and addresses that nothing on this host has. @throws NetcombinerError when no peer could reach it */
export function newPairing(
  { hosts, port = DEFAULT_PORT, addresses }: RemoteWishes,
  interfaces: ReturnType<typeof networkInterfaces>,
  random: (size: number) => Uint8Array,
): Pairing {
  const taken = hostAddresses(interfaces);
  return {
    sharedKey: random(32),
    port,
    mtu: 0,
    addresses: addresses.length > 0 ? addresses : drawTunnelAddresses(taken, random),
    hosts: reachableHosts(hosts, interfaces),
  };
}

/** What an existing configuration amounts to. @throws NetcombinerError when nobody can be paired with it */
export function existingPairing(
  path: string,
  { tunnel, addresses, links }: Configuration,
  hosts: readonly string[],
  interfaces: ReturnType<typeof networkInterfaces>,
): Pairing {
  const listener = links.find(({ settings }) => settings.role === "listen" && settings.method === "UDP");
  const lacks =
    tunnel.security === "none"
      ? "has Security = none"
      : tunnel.sharedKey === undefined || tunnel.privateKey !== undefined
        ? "goes by key pairs, which a token does not carry: give the other portal the public key"
        : !listener
          ? "has no link that waits on a UDP port: it is not of a remote portal"
          : addresses.length === 0
            ? "has no Address"
            : undefined;
  if (lacks !== undefined || !listener || !tunnel.sharedKey) {
    throw new NetcombinerError(`${path} ${lacks}; --force replaces it by a new one`, EXIT.CONFIG);
  }
  return {
    sharedKey: tunnel.sharedKey,
    port: listener.transport.localPort,
    mtu: tunnel.mtu === DEFAULT_MTU ? 0 : tunnel.mtu,
    addresses: addresses.map(({ address, prefix }) => ({ address: parseEndpoint(address) as Endpoint, prefix })),
    hosts: reachableHosts(hosts, interfaces),
  };
}

function reachableHosts(hosts: readonly string[], interfaces: ReturnType<typeof networkInterfaces>): readonly string[] {
  const found = hosts.length > 0 ? hosts : publicHosts(hostAddresses(interfaces));
  if (found.length > 0) return found;
  throw new NetcombinerError(
    "no interface of this host has a public address: say where the local portal reaches it, like --endpoint vps.example.net",
    EXIT.UNAVAILABLE,
  );
}
