/** The remote portal's half of pairing: `init` makes keys and a token, or the token of an existing configuration. */
import type { networkInterfaces } from "node:os";
import type { Configuration } from "../config/configuration.ts";
import { DEFAULT_MTU, DEFAULT_PORT } from "../config/defaults.ts";
import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { PrefixedAddress } from "../host/host.ts";
import { clampPrivateKey, KeyPair, X25519_SIZE } from "../security/x25519.ts";
import { SECRET_SIZE } from "./enrolment.ts";
import { drawTunnelAddresses, hostAddresses, publicHosts } from "./networks.ts";
import { decodeToken, type Pairing } from "./token.ts";
import { readToken } from "./write.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The options of `init`. */
export interface RemoteOptions {
  /** Names or addresses that the local portal connects to; with none, this host's public addresses. */
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  /** Addresses in the tunnel; with none, they are drawn at random. */
  readonly addresses: readonly PrefixedAddress[];
}

/** A new remote portal: the contents of the token, and the private key. */
export interface NewPairing {
  readonly pairing: Pairing;
  readonly privateKey: Uint8Array;
}

/** Time for which a token is valid, seconds: a day, to carry it to a router that is not at hand. */
const TOKEN_LIFETIME = 24 * 3_600;

/** The sources of what is new in a token. */
export interface TokenSources {
  random(size: number): Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Makes new keys, and addresses that are free on this host. @throws NetcombinerError if no peer could reach this host */
export function newPairing(
  { hosts, port = DEFAULT_PORT, addresses }: RemoteOptions,
  interfaces: Interfaces,
  sources: TokenSources,
): NewPairing {
  const privateKey = newPrivateKey(sources.random);
  const pairing = {
    publicKey: new KeyPair(privateKey).publicKey,
    ...newSecret(sources),
    port,
    mtu: 0,
    addresses: addresses.length > 0 ? addresses : drawTunnelAddresses(hostAddresses(interfaces), sources.random),
    hosts: reachableHosts(hosts, interfaces),
  };
  return { pairing, privateKey };
}

/** Returns a new private key. */
export function newPrivateKey(random: (size: number) => Uint8Array): Uint8Array {
  const key = random(X25519_SIZE);
  clampPrivateKey(key);
  return key;
}

/**
 * Returns the token's contents for an existing configuration that awaits its local portal: with the secret of the token kept
 * beside it while that is valid, or with a new one.
 * @throws NetcombinerError if the configuration cannot be paired
 */
export function existingPairing(
  path: string,
  { tunnel, addresses, links, awaitsPeer }: Configuration,
  hosts: readonly string[],
  interfaces: Interfaces,
  sources: TokenSources,
): Pairing {
  const refusal = (what: string) =>
    new NetcombinerError(`${path} ${what}; --force replaces it by a new one`, EXIT.CONFIG);
  const listener = links.find(({ settings }) => settings.role === "listen" && settings.method === "UDP");
  const { privateKey } = tunnel;
  if (!listener) throw refusal("has no link that listens on a UDP port: it is not of a remote portal");
  if (!privateKey) throw refusal("has no key pairs");
  if (addresses.length === 0) throw refusal("has no Address");
  if (!awaitsPeer) {
    throw refusal("has its local portal already: to pair another one, change its PublicKey to join and run init again");
  }
  const publicKey = new KeyPair(privateKey).publicKey;
  const { secret, expires } = liveToken(path, publicKey, sources.now) ?? newSecret(sources);
  return {
    publicKey,
    secret,
    expires,
    port: listener.transport.localPort,
    mtu: tunnel.mtu === DEFAULT_MTU ? 0 : tunnel.mtu,
    addresses: addresses.map(({ address, prefix }) => ({ address: parseEndpoint(address) as Endpoint, prefix })),
    hosts: reachableHosts(hosts, interfaces),
  };
}

/**
 * Returns the token beside a configuration; undefined if there is none that is valid now and of this key.
 * @param now milliseconds since 1970
 */
export function liveToken(path: string, publicKey: Uint8Array, now: number): Pairing | undefined {
  const kept = readToken(path);
  if (kept === undefined) return undefined;
  try {
    const token = decodeToken(kept);
    return token.expires * 1_000 > now && Buffer.from(token.publicKey).equals(publicKey) ? token : undefined;
  } catch {
    // A damaged token authorises nobody.
    return undefined;
  }
}

function newSecret({ random, now }: TokenSources) {
  return { secret: random(SECRET_SIZE), expires: Math.floor(now / 1_000) + TOKEN_LIFETIME };
}

function reachableHosts(hosts: readonly string[], interfaces: Interfaces): readonly string[] {
  const found = hosts.length > 0 ? hosts : publicHosts(hostAddresses(interfaces));
  if (found.length > 0) return found;
  throw new NetcombinerError(
    "no interface of this host has a public address: give the name or address at which the local portal reaches it, like --endpoint vps.example.net",
    EXIT.UNAVAILABLE,
  );
}
