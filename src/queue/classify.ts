// @hot
/** What kind of traffic a packet is, by a glance at its headers: what decides before anything is known of its flow. */
import { type Glance, PROTOCOL, TCP_FLAG, TCP_PURPOSE } from "../wire/ip.ts";

export const TRAFFIC = {
  /** Nothing special: thin until it sends much, then in order. */
  ORDINARY: 0,
  /** TCP with content: always in order. */
  STREAM: 1,
  /** TCP that only acknowledges: overtaking the content of its own direction does no harm. */
  ACKNOWLEDGEMENT: 2,
  /** ICMP and name lookups: somebody waits for the answer. */
  QUERY: 3,
  /** UDP that says so itself (DSCP): too late is worse than never. */
  REALTIME: 4,
} as const;

/** CS4 and above: conferencing (AF4x), CS5, VOICE-ADMIT, EF, CS6 and CS7 (RFC 4594). */
const REALTIME_DSCP = 32;
const DNS_PORT = 53;
const TCP_HEADER = 20;

export function classify(view: DataView, start: number, glance: Glance): number {
  const { protocol } = glance;
  if (protocol === PROTOCOL.TCP) return isBareAck(view, start, glance) ? TRAFFIC.ACKNOWLEDGEMENT : TRAFFIC.STREAM;
  if (protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6) return TRAFFIC.QUERY;
  if (protocol !== PROTOCOL.UDP) return TRAFFIC.ORDINARY;
  if (glance.trafficClass >>> 2 >= REALTIME_DSCP) return TRAFFIC.REALTIME;
  if (glance.isFragment || glance.transport + 4 > glance.length) return TRAFFIC.ORDINARY;
  const at = start + glance.transport;
  const isDns = view.getUint16(at) === DNS_PORT || view.getUint16(at + 2) === DNS_PORT;
  return isDns ? TRAFFIC.QUERY : TRAFFIC.ORDINARY;
}

function isBareAck(view: DataView, start: number, glance: Glance): boolean {
  if (glance.isFragment || glance.transport + TCP_HEADER > glance.length) return false;
  const tcp = start + glance.transport;
  if ((view.getUint8(tcp + 13) & TCP_PURPOSE) !== TCP_FLAG.ACK) return false;
  const header = (view.getUint8(tcp + 12) >>> 4) << 2;
  return glance.transport + header === glance.length;
}
