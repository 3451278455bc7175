/** Authentication of addresses between NATs (dissertation 2.2.2): what an end says of them in an exchange, and whether the peer's word agrees. */
import { type Endpoint, sameAddress } from "../../endpoint.ts";

/** Addresses of a datagram between the NATs. */
interface Addresses {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** What this end claims towards `remote`; undefined where addresses are not authenticated. */
export function claimAddresses(publicAddress: Endpoint | undefined, remote: Endpoint): Addresses | undefined {
  return publicAddress && { source: publicAddress, destination: remote };
}

/** True if the peer, seen at `remote`, claims what this end knows; or claims nothing where nothing is authenticated. */
export function agreesWith(
  publicAddress: Endpoint | undefined,
  claimed: Addresses | undefined,
  remote: Endpoint,
): boolean {
  if (!publicAddress || !claimed) return !publicAddress && !claimed;
  return sameAddress(claimed.source, remote) && sameAddress(claimed.destination, publicAddress);
}
