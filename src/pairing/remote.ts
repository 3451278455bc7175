/** The remote portal's half of pairing: `init` makes keys and a token, or the token of an existing configuration. */
import type { networkInterfaces } from "node:os";
import type { Configuration } from "../config/configuration.ts";
import { DEFAULT_MTU, DEFAULT_PORT } from "../config/defaults.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { PrefixedAddress } from "../host/host.ts";
import { clampPrivateKey, KeyPair, X25519_SIZE } from "../security/x25519.ts";
import { drawTunnelAddresses, hostAddresses, publicHosts } from "./networks.ts";
import { decodeToken, type Pairing } from "./token.ts";
import { tokenPath } from "./write.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The options of `init`. */
export interface RemoteOptions {
  /** Names or addresses that the local portal connects to; with none, this host's public addresses. */
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  /** Addresses in the tunnel; with none, they are drawn at random. */
  readonly addresses: readonly PrefixedAddress[];
}

/** A new pair of portals: the contents of the token, and the remote portal's private key. */
export interface NewPairing {
  readonly pairing: Pairing;
  readonly privateKey: Uint8Array;
}

/** Makes new keys, and addresses that are free on this host. @throws NetcombinerError if no peer could reach this host */
export function newPairing(
  { hosts, port = DEFAULT_PORT, addresses }: RemoteOptions,
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
 * Returns the token's contents for an existing configuration.
 * @param kept the token made with it, which has the local portal's key; undefined if it was removed
 * @throws NetcombinerError if the configuration cannot be paired
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
  if (!listener) throw refusal("has no link that listens on a UDP port: it is not of a remote portal");
  if (!privateKey || !peerKey) throw refusal("has no key pairs");
  if (addresses.length === 0) throw refusal("has no Address");
  if (kept === undefined) throw refusal(`stays as it is, and its token ${tokenPath(path)} was removed`);
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
    "no interface of this host has a public address: give the name or address at which the local portal reaches it, like --endpoint vps.example.net",
    EXIT.UNAVAILABLE,
  );
}
