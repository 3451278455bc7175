/** Holds every default and every bound of the configuration, each with its reason. */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { CongestionName, Method, SecurityName } from "../portal/settings.ts";

/** The dissertation's port. */
export const DEFAULT_PORT = 4725;

/** IP protocol number reserved "for experimentation and testing" (RFC 3692), so that no other protocol answers. */
export const DEFAULT_PROTOCOL = 253;

/** Excludes 255, which IANA reserves, and 0, the hop-by-hop header of IPv6. */
export const PROTOCOL_BOUNDS = { min: 1, max: 254 } as const;

/**
 * Default MTU of the tunnel, bytes. Ethernet's 1500 less 8 for PPPoE, 40 for IPv6 and 8 for UDP leave 1444 for a datagram on nearly every
 * access line; our headers and the authentication tag fit into the other 44.
 */
export const DEFAULT_MTU = 1400;

/** Bounds of the MTU of the tunnel: the least that every IPv4 host accepts (RFC 1122), and 65535 less room for all headers. */
export const MTU_BOUNDS = { min: 576, max: 65_000 } as const;

/** Smallest MTU IPv6 runs over (RFC 8200 section 5). */
export const MTU_MIN_IPV6 = 1280;

/** MTU of a link: 0 probes up to the MTU of Ethernet. */
export const DEFAULT_LINK_MTU = 0;

/** Encrypts with the suite that is fastest on both machines. */
export const DEFAULT_SECURITY: SecurityName = "auto";
export const DEFAULT_METHOD: Method = "UDP";
/** Earliest arrival, order by flow and retransmissions; `greedy` has one queue and delivers packets as they arrive. */
export const DEFAULT_SCHEDULING = "adaptive";
export const DEFAULT_LOG_LEVEL = "info";

/** Most preferred metric. */
export const DEFAULT_METRIC = 0;
/** The metric is sent to the peer in 16 bits. */
export const METRIC_BOUNDS = { min: 0, max: 65_535 } as const;

/** Returns `none` for TCP, which has a congestion controller of its own, and `rate` for UDP and IP. */
export function defaultCongestion(method: Method): CongestionName {
  return method === "TCP" ? "none" : "rate";
}

/** Bounds of a limit, bits per second. A lower one would delay the tunnel's own messages; a higher one does not fit its field in LINK. */
export const LIMIT_BOUNDS = { min: 64e3, max: 10e9 } as const;

const KEEP_ALIVE: Micros = 10 * MICROS_PER_SECOND;
const TIMEOUT: Micros = 25 * MICROS_PER_SECOND;
const KEEP_ALIVES_IN_TIMEOUT = 2.5;

/**
 * Returns 10 s, less than the 30 s after which common NAT devices drop the state of a UDP flow (RFC 4787 requires 120 s, many keep it for
 * less); less when `Timeout` is short, so that two keepalives fit into it.
 */
export function defaultKeepAlive(timeout: Micros = TIMEOUT): Micros {
  return Math.min(KEEP_ALIVE, Math.round(timeout / KEEP_ALIVES_IN_TIMEOUT));
}
/** Bounds of the keepalive interval: a shorter one only loads an idle link, a longer one keeps no NAT state alive. */
export const KEEP_ALIVE_BOUNDS = { min: 50 * MICROS_PER_MILLI, max: 600 * MICROS_PER_SECOND } as const;

/** Returns 25 s, so that two keepalives may be lost before an idle path is closed; a path with traffic is suspected far sooner. */
export function defaultTimeout(keepAlive: Micros = KEEP_ALIVE): Micros {
  return Math.max(TIMEOUT, Math.round(keepAlive * KEEP_ALIVES_IN_TIMEOUT));
}
export const TIMEOUT_BOUNDS = { min: 200 * MICROS_PER_MILLI, max: 3600 * MICROS_PER_SECOND } as const;

/** First wait before a new attempt; it doubles with every failure. Short, so that a modem that came back is used soon. */
export const DEFAULT_RETRY_WAIT: Micros = MICROS_PER_SECOND;
export const RETRY_WAIT_BOUNDS = { min: 10 * MICROS_PER_MILLI, max: 3600 * MICROS_PER_SECOND } as const;

/** The number of a link is sent in 16 bits. */
export const LINKS_MAX = 65_535;

/** Largest configuration file, bytes; the whole of it is read into memory. */
export const FILE_SIZE_MAX = 1 << 20;
