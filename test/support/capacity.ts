/**
 * C_eff: the TCP goodput that links together could carry through the tunnel if every one of them were full.
 * Of the bytes that a full datagram occupies on the wire, frame check sequence included, only inner TCP payload counts; what
 * a link loses does not. The tunnel's overhead is that of the suite that ran.
 */
import { DEFAULT_MTU } from "../../src/config/defaults.ts";
import { TAG_SIZE } from "../../src/security/portable-ciphers.ts";
import { Blake2sSuite, NoSecuritySuite, type SuiteName } from "../../src/security/suite.ts";
import { DATA_SIZE } from "../../src/wire/data.ts";
import { HEADER_SIZE } from "../../src/wire/datagram.ts";
import { ETHERNET_OVERHEAD, type LinkShape } from "../sim/link-model.ts";

const IPV4_HEADER = 20;
const UDP_HEADER = 8;
/** Header of TCP with the timestamps that every common one sends. */
const TCP_HEADER = 32;
const ETHERNET_MTU = 1_500;

/** Bytes that each suite adds to a datagram. */
const SECURITY_OVERHEAD: Readonly<Record<SuiteName, number>> = {
  none: new NoSecuritySuite().overhead,
  blake2s: new Blake2sSuite().overhead,
  "aes-256-gcm": TAG_SIZE,
  "chacha20-poly1305": TAG_SIZE,
};

/** The largest inner packet: what the tunnel's interface allows. */
export const INNER_MTU = DEFAULT_MTU;

/** Payload of a full segment inside the tunnel. */
export const INNER_PAYLOAD = INNER_MTU - IPV4_HEADER - TCP_HEADER;

/** Payload of a full segment per byte on the wire, without a tunnel. */
export const DIRECT_SHARE = (ETHERNET_MTU - IPV4_HEADER - TCP_HEADER) / (ETHERNET_MTU + ETHERNET_OVERHEAD);

/** Returns the bytes between an inner packet and the end of its outer IP packet: the tunnel's own, UDP's and IPv4's. */
export function tunnelOverhead(suite: SuiteName): number {
  return DATA_SIZE + HEADER_SIZE + SECURITY_OVERHEAD[suite] + UDP_HEADER + IPV4_HEADER;
}

/** Returns the inner TCP payload per wire byte of a full datagram. */
export function tunnelShare(suite: SuiteName): number {
  return INNER_PAYLOAD / (INNER_MTU + tunnelOverhead(suite) + ETHERNET_OVERHEAD);
}

type Line = Pick<LinkShape, "rate" | "loss">;

/** Returns C_eff in Mbit/s. */
export function effectiveCapacity(links: readonly Line[], suite: SuiteName): number {
  return links.reduce((total, { rate, loss }) => total + (rate / 1e6) * (1 - loss) * tunnelShare(suite), 0);
}

/** Returns the TCP goodput of a full link without a tunnel, Mbit/s. */
export function directCapacity({ rate, loss }: Line): number {
  return (rate / 1e6) * (1 - loss) * DIRECT_SHARE;
}
