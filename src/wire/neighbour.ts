// @hot
/**
 * Tells packets that hosts exchange with neighbours on one network from packets that a router passes on. A tunnel joins two networks, so the former
 * have no business in it: from there they could change routes and addresses of this host (RFC 4861, 8.1 and 6.2; RFC 792; RFC 2131).
 */
import { type ParsedHeader, PROTOCOL } from "./ip.ts";

const IGMP = 2;
/** Ports of DHCP clients; servers and relays do speak through routers (RFC 2131, RFC 8415). */
const DHCP_CLIENT_PORT = 68;
const DHCPV6_CLIENT_PORT = 546;
/** Redirect (RFC 792), router advertisement and solicitation (RFC 1256). */
const ICMP_REDIRECT = 5;
const ICMP_ROUTER_ADVERTISEMENT = 9;
const ICMP_ROUTER_SOLICITATION = 10;
/** First and last of each run of ICMPv6 types: MLD (RFC 2710) and neighbour discovery (RFC 4861), inverse discovery and MLDv2, SEND, multicast routers. */
const ICMPV6_RUNS = [
  [130, 137],
  [141, 143],
  [148, 149],
  [151, 153],
] as const;
const ICMPV6_TYPES = Uint8Array.from({ length: 256 }, (_, type) =>
  ICMPV6_RUNS.some(([first, last]) => type >= first && type <= last) ? 1 : 0,
);

/** True if the packet at `start` is for neighbours: by its addresses, which no router passes on, or by its protocol. */
export function isForNeighbours(view: DataView, start: number, parsed: ParsedHeader): boolean {
  if (parsed.version === 4) return isForNeighboursFour(view, start, parsed);
  return isForNeighboursSix(view, start, parsed);
}

function isForNeighboursFour(view: DataView, start: number, parsed: ParsedHeader): boolean {
  if (isLocalFour(view.getUint32(start + 12)) || isLocalFour(view.getUint32(start + 16))) return true;
  if (parsed.protocol === IGMP) return true;
  // Only the first fragment has a type and ports.
  if ((view.getUint16(start + 6) & 0x1fff) !== 0) return false;
  if (parsed.protocol === PROTOCOL.UDP) return portOf(view, start, parsed) === DHCP_CLIENT_PORT;
  if (parsed.protocol !== PROTOCOL.ICMP || parsed.transport >= parsed.length) return false;
  const type = view.getUint8(start + parsed.transport);
  return type === ICMP_REDIRECT || type === ICMP_ROUTER_ADVERTISEMENT || type === ICMP_ROUTER_SOLICITATION;
}

function isForNeighboursSix(view: DataView, start: number, parsed: ParsedHeader): boolean {
  if (isLocalSix(view, start + 8) || isLocalSix(view, start + 24)) return true;
  // Fragmented neighbour discovery is ignored by all hosts (RFC 6980), and MLD has link-local sources.
  if (parsed.isFragment) return false;
  if (parsed.protocol === PROTOCOL.UDP) return portOf(view, start, parsed) === DHCPV6_CLIENT_PORT;
  if (parsed.protocol !== PROTOCOL.ICMPV6 || parsed.transport >= parsed.length) return false;
  return ICMPV6_TYPES[view.getUint8(start + parsed.transport)] === 1;
}

/** Returns the destination port, 0 if the packet ends before it. */
function portOf(view: DataView, start: number, parsed: ParsedHeader): number {
  return parsed.transport + 4 <= parsed.length ? view.getUint16(start + parsed.transport + 2) : 0;
}

/** True for 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 and 255.255.255.255, which no router passes on or none of ours does. */
function isLocalFour(address: number): boolean {
  const first = address >>> 24;
  return (
    first === 0 || first === 127 || first >>> 4 === 0xe || address >>> 16 === 0xa9fe || address >>> 0 === 0xffffffff
  );
}

/** True for ::, ::1, fe80::/10 and ff00::/8. */
function isLocalSix(view: DataView, at: number): boolean {
  const first = view.getUint32(at);
  if (first >>> 24 === 0xff || first >>> 22 === 0xfe80 >>> 6) return true;
  return first === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0 && view.getUint32(at + 12) <= 1;
}
