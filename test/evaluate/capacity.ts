/**
 * C_eff: the TCP goodput that links together could carry through the tunnel, were every one of them full.
 * Of the bytes a full datagram occupies on the wire, frame check sequence included, only inner TCP payload counts; what a
 * link loses counts for nothing.
 */
import { DEFAULT_MTU } from "../../src/config/defaults.ts";
import { Blake2sSuite } from "../../src/security/suite.ts";
import { DATA_SIZE } from "../../src/wire/data.ts";
import { HEADER_SIZE } from "../../src/wire/datagram.ts";
import { ETHERNET_OVERHEAD, type LinkShape } from "../sim/link-model.ts";

const IPV4_HEADER = 20;
const UDP_HEADER = 8;
/** With the time stamps that every common TCP sends. */
const TCP_HEADER = 32;
const ETHERNET_MTU = 1_500;

/** Bytes between an inner packet and its outer IP packet: the tunnel's own, UDP's and IPv4's. */
export const TUNNEL_OVERHEAD = DATA_SIZE + HEADER_SIZE + new Blake2sSuite().overhead + UDP_HEADER + IPV4_HEADER;

/** The largest inner packet: what the tunnel's interface allows. */
export const INNER_MTU = DEFAULT_MTU;

/** Inner TCP payload per wire byte of a full datagram. */
export const TUNNEL_SHARE = (INNER_MTU - IPV4_HEADER - TCP_HEADER) / (INNER_MTU + TUNNEL_OVERHEAD + ETHERNET_OVERHEAD);

/** The same for TCP without a tunnel. */
export const DIRECT_SHARE = (ETHERNET_MTU - IPV4_HEADER - TCP_HEADER) / (ETHERNET_MTU + ETHERNET_OVERHEAD);

type Line = Pick<LinkShape, "rate" | "loss">;

/** Mbit/s of inner TCP payload. */
export function effectiveCapacity(links: readonly Line[]): number {
  return links.reduce((total, { rate, loss }) => total + (rate / 1e6) * (1 - loss) * TUNNEL_SHARE, 0);
}

/** Mbit/s of TCP payload of a full link without a tunnel. */
export function directCapacity({ rate, loss }: Line): number {
  return (rate / 1e6) * (1 - loss) * DIRECT_SHARE;
}
