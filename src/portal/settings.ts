/**
 * The settings of a portal and its links, after the configuration was read and defaults were filled in.
 * Plain values only: they cross from the control plane to the data plane as a message.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { LinkLimits } from "../path/limits.ts";
import type { SuiteCosts } from "../security/offer.ts";
import type { SuiteName } from "../security/suite.ts";
import type { AllowedNetwork } from "./allowed-ips.ts";

export type Method = "UDP" | "TCP" | "IP";
/** `auto`: the better of those that hide what they carry. */
export type SecurityName = "auto" | SuiteName;
export type CongestionName = "rate" | "newreno" | "none";

/** When keys are changed, and when they must not be used any more. WireGuard has the same times. */
export interface KeyLimits {
  /** Age of the keys, µs. */
  readonly rekeyAfter: Micros;
  readonly endAfter: Micros;
  /** Datagrams sealed or opened under the keys, whichever is more. */
  readonly rekeyAfterDatagrams: number;
  readonly endAfterDatagrams: number;
}

export const KEY_LIMITS: KeyLimits = {
  rekeyAfter: 120 * MICROS_PER_SECOND,
  endAfter: 180 * MICROS_PER_SECOND,
  rekeyAfterDatagrams: 2 ** 22,
  // The confidentiality limit of AES-GCM for datagrams of any size (RFC 9001, 6.6).
  endAfterDatagrams: 2 ** 23,
};

/** The tunnel as a whole: the `[Host]` section. */
export interface TunnelSettings {
  readonly security: SecurityName;
  /** 32 bytes, known to both ends; may be missing where there are key pairs. `none` uses neither. */
  readonly sharedKey?: Uint8Array | undefined;
  /** 32 bytes each: this end's private key and the peer's public one; both or neither. */
  readonly privateKey?: Uint8Array | undefined;
  readonly peerKey?: Uint8Array | undefined;
  /** Costs on this machine of the suites that `auto` chooses from. */
  readonly suiteCosts?: SuiteCosts | undefined;
  /** When keys are changed; for tests. */
  readonly keyLimits?: KeyLimits | undefined;
  /** `greedy` is the dissertation's: one queue, every path takes what it may, packets go to the host as they come. */
  readonly scheduling?: "adaptive" | "greedy" | undefined;
  /** Networks of the peer and of this side; undefined where all addresses are the peer's. */
  readonly allowedIps?: readonly AllowedNetwork[] | undefined;
  /** Largest inner packet, bytes: the TUN's MTU. */
  readonly mtu: number;
}

/** One link: a `[Peer]` section, as the core sees it. */
export interface LinkSettings {
  /** Stable across reloads while the section is unchanged; below 65536. */
  readonly id: number;
  readonly name: string;
  readonly method: Method;
  /** A link without `RemoteHost` listens; its paths are ephemeral. */
  readonly role: "initiate" | "listen";
  /** Lower is preferred; undefined on a listener takes what the initiator says. */
  readonly metric: number | undefined;
  readonly congestion: CongestionName;
  /** Silence after which a keepalive is sent. */
  readonly keepAlive: Micros;
  /** Silence of the peer after which a path is down. */
  readonly timeout: Micros;
  /** First wait before an initiated link connects again; doubles up to 2 s, with jitter. */
  readonly retryWait: Micros;
  /** Largest datagram worth trying, bytes of the transport's payload; 0 for what Ethernet carries. */
  readonly mtu: number;
  /** Rates that may pass, and whether traffic is paid for; undefined for no limits. */
  readonly limits?: LinkLimits | undefined;
  /** This end's address as the peer sees it, to authenticate addresses between NATs (dissertation 2.2.2). */
  readonly publicAddress: Endpoint | undefined;
}

/** Changes a person may make to a running link, until the next start. */
export type LinkCommand =
  | { readonly action: "up" | "down" }
  /** "default" for what the configuration says. */
  | { readonly action: "metric"; readonly metric: number | "default" };

/** Where a link's datagrams go, as the control plane sees it; names are resolved anew for every attempt. */
export interface LinkTransport {
  readonly localHost: string | undefined;
  readonly localInterface: string | undefined;
  /** 0 lets the kernel choose (initiating side). */
  readonly localPort: number;
  readonly remoteHost: string | undefined;
  readonly remotePort: number;
  /** IP protocol number of the IP transport, 1 to 254. */
  readonly protocol: number;
}
