/** The remote portal's half of pairing: what `init` makes, and the token for what is there already. */
import type { networkInterfaces } from "node:os";
import type { Configuration } from "../config/configuration.ts";
import { DEFAULT_MTU, DEFAULT_PORT } from "../config/defaults.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { clampPrivateKey, KeyPair, X25519_SIZE } from "../security/x25519.ts";
import { drawTunnelAddresses, hostAddresses, publicHosts } from "./networks.ts";
import { decodeToken, type Pairing, type TunnelAddress } from "./token.ts";
import { tokenPath } from "./write.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

export interface RemoteWishes {
  /** Names or addresses that the local portal shall connect to; without any, this host's public addresses. */
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  /** Addresses in the tunnel; without any, drawn by chance. */
  readonly addresses: readonly TunnelAddress[];
}

/** A new pair of portals: what the local one is told, and the remote one's own key. */
export interface NewPairing {
  readonly pairing: Pairing;
  readonly privateKey: Uint8Array;
}

/** What is new: keys, and addresses that nothing on this host has. @throws NetcombinerError when no peer could reach it */
export function newPairing(
  { hosts, port = DEFAULT_PORT, addresses }: RemoteWishes,
  interfaces: Interfaces,
  random: (size: number) => Uint8Array,
): NewPairing {
  const newKey = () => {
    const key = random(X25519_SIZE);
    clampPrivateKey(key);
    return key;
  };
  const privateKey = newKey();
  const pairing = {
    privateKey: newKey(),
    publicKey: new KeyPair(privateKey).publicKey,
    sharedKey: undefined,
    port,
    mtu: 0,
    addresses: addresses.length > 0 ? addresses : drawTunnelAddresses(hostAddresses(interfaces), random),
    hosts: reachableHosts(hosts, interfaces),
  };
  return { pairing, privateKey };
}

/**
 * What an existing configuration amounts to.
 * @param kept the token it came with, which has the local portal's key; undefined when it was removed
 * @throws NetcombinerError when nobody can be paired with it
 */
export function existingPairing(
  path: string,
  { tunnel, addresses, links }: Configuration,
  kept: string | undefined,
  hosts: readonly string[],
  interfaces: Interfaces,
): Pairing {
  const refusal = (what: string) =>
    new NetcombinerError(`${path} ${what}; --force replaces it by a new one`, EXIT.CONFIG);
  const listener = links.find(({ settings }) => settings.role === "listen" && settings.method === "UDP");
  const { privateKey, peerKey, sharedKey } = tunnel;
  if (!listener) throw refusal("has no link that waits on a UDP port: it is not of a remote portal");
  if (!privateKey || !peerKey) throw refusal("has no key pairs");
  if (addresses.length === 0) throw refusal("has no Address");
  if (kept === undefined) throw refusal(`stays as it is, and its token ${tokenPath(path)} is not there any more`);
  const token = decodeToken(kept);
  const publicKey = new KeyPair(privateKey).publicKey;
  const isItsToken = isSame(new KeyPair(token.privateKey).publicKey, peerKey) && isSame(token.publicKey, publicKey);
  if (!isItsToken) throw refusal(`has other keys than its token ${tokenPath(path)}`);
  return {
    privateKey: token.privateKey,
    publicKey,
    sharedKey,
    port: listener.transport.localPort,
    mtu: tunnel.mtu === DEFAULT_MTU ? 0 : tunnel.mtu,
    addresses: addresses.map(({ address, prefix }) => ({ address: parseEndpoint(address) as Endpoint, prefix })),
    hosts: reachableHosts(hosts, interfaces),
  };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}

function reachableHosts(hosts: readonly string[], interfaces: Interfaces): readonly string[] {
  const found = hosts.length > 0 ? hosts : publicHosts(hostAddresses(interfaces));
  if (found.length > 0) return found;
  throw new NetcombinerError(
    "no interface of this host has a public address: say where the local portal reaches it, like --endpoint vps.example.net",
    EXIT.UNAVAILABLE,
  );
}
