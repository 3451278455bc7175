/** Every default and every bound of the configuration, each with its reason. */
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { CongestionName, Method, SecurityName } from "../portal/settings.ts";

/** The dissertation's port. */
export const DEFAULT_PORT = 4725;

/** Reserved "for experimentation and testing" (RFC 3692), so no other protocol answers. */
export const DEFAULT_PROTOCOL = 253;

/** 255 is reserved by IANA; 0 is the IPv6 hop-by-hop header and no payload. */
export const PROTOCOL_BOUNDS = { min: 1, max: 254 } as const;

/**
 * 1500 of Ethernet, less 8 PPPoE, 40 IPv6 and 8 UDP, leaves 1444 for a datagram on nearly every access line;
 * 44 of them hold our header, the data message's own and what security adds, and leave some to spare.
 */
export const DEFAULT_MTU = 1400;

/** What every IPv4 host must take (RFC 1122), and what stays below 65535 with every header in front of it. */
export const MTU_BOUNDS = { min: 576, max: 65_000 } as const;

/** Smallest MTU IPv6 runs over (RFC 8200 section 5). */
export const MTU_MIN_IPV6 = 1280;

/** As far as Ethernet carries. */
export const DEFAULT_LINK_MTU = 0;

/** Private, by whichever suite is the fastest on both machines. */
export const DEFAULT_SECURITY: SecurityName = "auto";
export const DEFAULT_METHOD: Method = "UDP";
/** Earliest arrival, order by flow, repair; `greedy` is the plain way: one queue, and every packet as it comes. */
export const DEFAULT_SCHEDULING = "adaptive";
export const DEFAULT_LOG_LEVEL = "info";

/** Preferred over every other. */
export const DEFAULT_METRIC = 0;
/** It travels as 16 bits. */
export const METRIC_BOUNDS = { min: 0, max: 65_535 } as const;

/** TCP has a congestion controller of its own; a second one on top only slows it. Elsewhere the one that finds the rate by itself. */
export function defaultCongestion(method: Method): CongestionName {
  return method === "TCP" ? "none" : "rate";
}

/** Bits per second. Less holds back the tunnel's own messages; more does not travel in the message that tells it. */
export const LIMIT_BOUNDS = { min: 64e3, max: 10e9 } as const;

const KEEP_ALIVE: Micros = 10 * MICROS_PER_SECOND;
const TIMEOUT: Micros = 25 * MICROS_PER_SECOND;
const KEEP_ALIVES_IN_TIMEOUT = 2.5;

/**
 * 10 s, below the 30 s after which common NAT devices forget a UDP flow (RFC 4787 asks for 120 s, many do less);
 * sooner when `Timeout` is short, so that the peer is heard from before.
 */
export function defaultKeepAlive(timeout: Micros = TIMEOUT): Micros {
  return Math.min(KEEP_ALIVE, Math.round(timeout / KEEP_ALIVES_IN_TIMEOUT));
}
/** Shorter only floods an idle link; longer keeps no NAT open. */
export const KEEP_ALIVE_BOUNDS = { min: 50 * MICROS_PER_MILLI, max: 600 * MICROS_PER_SECOND } as const;

/** 25 s: two keepalives may be lost before an idle path is given up; one that carries traffic is suspected far sooner. */
export function defaultTimeout(keepAlive: Micros = KEEP_ALIVE): Micros {
  return Math.max(TIMEOUT, Math.round(keepAlive * KEEP_ALIVES_IN_TIMEOUT));
}
export const TIMEOUT_BOUNDS = { min: 200 * MICROS_PER_MILLI, max: 3600 * MICROS_PER_SECOND } as const;

/** Soon enough after a modem came back, seldom enough for a peer that is gone; it doubles with every failure. */
export const DEFAULT_RETRY_WAIT: Micros = MICROS_PER_SECOND;
export const RETRY_WAIT_BOUNDS = { min: 10 * MICROS_PER_MILLI, max: 3600 * MICROS_PER_SECOND } as const;

/** A link's number travels as 16 bits. */
export const LINKS_MAX = 65_535;

/** No honest configuration is larger, and the whole of it is read into memory. */
export const FILE_SIZE_MAX = 1 << 20;
