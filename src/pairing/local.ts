/** The local portal's half of pairing: `join` makes links of a host's interfaces. */
import type { Configuration } from "../config/configuration.ts";
import { familyOf, formatAddress, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { Uplink } from "../host/default-routes.ts";
import type { PairedLink } from "./configuration-text.ts";
import { type AddressOnInterface, overlap } from "./networks.ts";
import { localAddress, type Pairing } from "./token.ts";

/**
 * Returns a link for each interface, to the remote portal's first address that it can reach; interfaces that reach none are left out.
 * @throws NetcombinerError if there are no interfaces, or none reaches the remote portal
 */
export function linksFor(uplinks: readonly Uplink[], hosts: readonly string[]): PairedLink[] {
  if (uplinks.length === 0) {
    throw new NetcombinerError(
      "no interface has a default route: connect the links first, or name their interfaces, like --links eth0,wwan0",
      EXIT.UNAVAILABLE,
    );
  }
  const links = uplinks.flatMap(({ interface: name, families }) => {
    const host = hosts.find((candidate) => reaches(families, candidate));
    return host === undefined ? [] : [{ interface: name, host }];
  });
  if (links.length > 0) return links;
  const names = uplinks.map((uplink) => uplink.interface).join(", ");
  throw new NetcombinerError(
    `${names}: no default route of the IP version of ${hosts.join(", ")}; run init with --endpoint NAME for both`,
    EXIT.UNAVAILABLE,
  );
}

/** True unless the address is of an IP version without a default route. Names are resolved when the link connects. */
function reaches(families: readonly (4 | 6)[], host: string): boolean {
  const address = parseEndpoint(host);
  return !address || families.length === 0 || families.some((family) => family === familyOf(address));
}

/** @throws NetcombinerError if a network of the tunnel overlaps one of this host's */
export function assertFree(pairing: Pairing, taken: readonly AddressOnInterface[], interfaceName: string): void {
  for (const network of pairing.addresses) {
    const other = taken.find((own) => own.interface !== interfaceName && overlap(own, network));
    if (!other) continue;
    const [wanted, own] = [network, other].map(({ address, prefix }) => `${formatAddress(address)}/${prefix}`);
    throw new NetcombinerError(
      `the tunnel's network ${wanted} overlaps that of ${other.interface} (${own}): make another token with "netcombiner init --force --address ADDRESS/LENGTH"`,
      EXIT.CONFIG,
    );
  }
}

/** True if the configuration is of this token's remote portal, whatever was edited in its links since. */
export function isJoined({ tunnel, addresses }: Configuration, pairing: Pairing): boolean {
  const own = new Set(pairing.addresses.map((entry) => formatAddress(localAddress(entry).address)));
  const isSamePeer = tunnel.peerKey !== undefined && Buffer.from(tunnel.peerKey).equals(pairing.publicKey);
  return isSamePeer && addresses.some(({ address }) => own.has(address));
}
