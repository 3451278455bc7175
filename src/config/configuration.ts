/** Builds the configuration from valid sections: fills in defaults and brings values into the form that the program uses. */
import { NEVER } from "../clock.ts";
import type { LinkSettings, LinkTransport, Method, TunnelSettings } from "../portal/settings.ts";
import { allowedNetworks } from "./default-allowed-ips.ts";
import {
  DEFAULT_LINK_MTU,
  DEFAULT_LOG_LEVEL,
  DEFAULT_METHOD,
  DEFAULT_METRIC,
  DEFAULT_MTU,
  DEFAULT_PORT,
  DEFAULT_PROTOCOL,
  DEFAULT_RETRY_WAIT,
  DEFAULT_SCHEDULING,
  DEFAULT_SECURITY,
  defaultCongestion,
  defaultKeepAlive,
  defaultTimeout,
} from "./defaults.ts";
import type { HostSection, PeerSection } from "./schema.ts";
import { buildSystem, type SystemConfiguration } from "./system-configuration.ts";
import type { InterfaceAddress, ListenAddress } from "./values.ts";

export interface ConfiguredLink {
  readonly settings: LinkSettings;
  readonly transport: LinkTransport;
  /** False if the name was generated; another link may take it when sections are added or removed. */
  readonly isNamed: boolean;
}

export interface Configuration {
  readonly tunnel: TunnelSettings;
  /** True while the local portal has not joined: no tunnel runs before. */
  readonly awaitsPeer: boolean;
  readonly addresses: readonly InterfaceAddress[];
  readonly logLevel: NonNullable<HostSection["LogLevel"]>;
  /** Address at which metrics are served; undefined if they are not. */
  readonly metrics: ListenAddress | undefined;
  /** Set-up of the host by `up`. */
  readonly system: SystemConfiguration;
  /** In the order of the file, numbered from 0. */
  readonly links: readonly ConfiguredLink[];
}

/** Secrets and public keys, from the sections or the files they name; undefined where not given or not used. */
export interface KeyMaterial {
  readonly privateKey?: Uint8Array | undefined;
  readonly sharedKey?: Uint8Array | undefined;
  readonly peerKey?: Uint8Array | undefined;
  /** True if `netcombiner join` is to bring the peer's key. */
  readonly awaitsPeer?: boolean | undefined;
}

/** Returns the configuration of the whole file. */
export function buildConfiguration(
  host: HostSection,
  { awaitsPeer = false, ...keys }: KeyMaterial,
  peers: readonly PeerSection[],
): Configuration {
  const taken = new Set(peers.map((peer) => peer.Name));
  return {
    tunnel: {
      security: host.Security ?? DEFAULT_SECURITY,
      ...keys,
      allowedIps: allowedNetworks(host),
      mtu: host.MTU ?? DEFAULT_MTU,
      scheduling: host.Scheduling ?? DEFAULT_SCHEDULING,
    },
    awaitsPeer,
    addresses: host.Address ?? [],
    logLevel: host.LogLevel ?? DEFAULT_LOG_LEVEL,
    metrics: host.Metrics,
    system: buildSystem(host),
    links: peers.map((peer, id) => buildLink(peer, id, taken)),
  };
}

function buildLink(peer: PeerSection, id: number, taken: Set<string | undefined>): ConfiguredLink {
  const method = peer.Method ?? DEFAULT_METHOD;
  const role = peer.RemoteHost === undefined ? "listen" : "initiate";
  return {
    isNamed: peer.Name !== undefined,
    settings: {
      id,
      name: peer.Name ?? freeName(method, id, taken),
      method,
      role,
      metric: peer.Metric ?? (role === "initiate" ? DEFAULT_METRIC : undefined),
      congestion: peer.Congestion ?? defaultCongestion(method),
      keepAlive: peer.KeepAlive ?? defaultKeepAlive(peer.Timeout),
      timeout: peer.Timeout ?? defaultTimeout(peer.KeepAlive),
      retryWait: peer.RetryWait ?? DEFAULT_RETRY_WAIT,
      mtu: peer.MTU ?? DEFAULT_LINK_MTU,
      limits: { isMetered: peer.Metered ?? false, out: peer.LimitOut ?? NEVER, in: peer.LimitIn ?? NEVER },
      publicAddress: peer.PublicAddress,
    },
    transport: buildTransport(peer, method, role),
  };
}

function buildTransport(peer: PeerSection, method: Method, role: LinkSettings["role"]): LinkTransport {
  const hasPorts = method !== "IP";
  return {
    localHost: peer.LocalHost,
    localInterface: peer.LocalInterface,
    localPort: hasPorts ? (peer.LocalPort ?? (role === "listen" ? DEFAULT_PORT : 0)) : 0,
    remoteHost: peer.RemoteHost,
    remotePort: hasPorts && role === "initiate" ? (peer.RemotePort ?? DEFAULT_PORT) : 0,
    protocol: peer.Protocol ?? DEFAULT_PROTOCOL,
  };
}

/** Returns `udp0` for the first section, or the next number if that name is taken, and adds it to `taken`. */
export function freeName(method: string, id: number, taken: Set<string | undefined>): string {
  let number = id;
  while (taken.has(`${method.toLowerCase()}${number}`)) number++;
  const name = `${method.toLowerCase()}${number}`;
  taken.add(name);
  return name;
}
