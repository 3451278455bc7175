/**
 * Introduces a link to the peer in an exchange, and authenticates the addresses between NATs (dissertation 2.2.2): each end states them,
 * and the peer compares them with what it sees.
 */
import { type Endpoint, sameAddress } from "../../endpoint.ts";
import type { Introduction } from "../../exchange/exchange.ts";
import type { LinkSettings } from "../settings.ts";

/** Returns the introduction of a path over the link with these settings; `remote` is where the datagram goes. */
export function introduce(settings: LinkSettings, index: number, metric: number, remote: Endpoint): Introduction {
  const { id, name, publicAddress } = settings;
  // Undefined addresses say that they are not authenticated.
  const addresses = publicAddress && { source: publicAddress, destination: remote };
  return { index, link: id, metric, name, addresses };
}

/** True if the peer, seen at `remote`, claims the addresses that this end knows; or claims none where none are authenticated. */
export function agreesWith(
  publicAddress: Endpoint | undefined,
  claimed: Introduction["addresses"],
  remote: Endpoint,
): boolean {
  if (!publicAddress || !claimed) return !publicAddress && !claimed;
  return sameAddress(claimed.source, remote) && sameAddress(claimed.destination, publicAddress);
}
