/**
 * Decides which addresses are the other portal's: those of `AllowedIPs`, or by default those that follow from the other keys.
 *
 * - Role remote: the rest of the tunnel's networks, the client, the networks and hosts behind the local portal.
 * - Role local, as the remote portal forwards the Internet, and without a Role, as nothing is known: all but this side's.
 */
import type { AllowedNetwork } from "../portal/allowed-ips.ts";
import type { HostSection } from "./schema.ts";
import type { HostAddress, Network } from "./system-schema.ts";

const ALL_NETWORKS: readonly AllowedNetwork[] = [
  { address: "0.0.0.0", prefix: 0, isPeers: true },
  { address: "::", prefix: 0, isPeers: true },
];

type Keys = Pick<
  HostSection,
  "Role" | "Address" | "ClientAddress" | "PeerNetworks" | "Forward" | "OpenNetworks" | "AllowedIPs"
>;

/** Returns the networks for the table; of two alike the later one counts. */
export function allowedNetworks(host: Keys): AllowedNetwork[] {
  const { Address: addresses = [], ClientAddress: clients = [], PeerNetworks: peers = [] } = host;
  const { Forward: forwards = [], OpenNetworks: open = [] } = host;
  // This portal's own address in the tunnel is nobody else's.
  const own = [...of(hosts(addresses), false)];
  if (host.AllowedIPs !== undefined) return [...of(host.AllowedIPs, true), ...own];
  if (host.Role === "remote") {
    return [
      ...of(addresses, true),
      ...of(hosts(clients), true),
      ...of(hosts(forwards), true),
      ...of(peers, true),
      ...own,
    ];
  }
  if (host.Role === undefined) return [...ALL_NETWORKS, ...own];
  // Without a tunnel address of its own, the remote portal sends errors from the address it lends to the client.
  const lent = addresses.length > 0 ? clients : [];
  const ownSide = [...of(open, false), ...of(hosts(lent), false), ...of(hosts(forwards), false)];
  return [...ALL_NETWORKS, ...ownSide, ...of(addresses, true), ...of(peers, true), ...own];
}

function of(networks: readonly Network[], isPeers: boolean): AllowedNetwork[] {
  return networks.map(({ address, prefix }) => ({ address, prefix, isPeers }));
}

function hosts(addresses: readonly HostAddress[]): Network[] {
  return addresses.map(({ family, address }) => ({ family, address, prefix: family === 4 ? 32 : 128 }));
}
