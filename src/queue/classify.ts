// @hot
/** Classifies a packet by its headers alone, before anything is known of its flow. */
import { type ParsedHeader, PROTOCOL } from "../wire/ip.ts";
import {
  destinationPort,
  sourcePort,
  TCP_FLAG,
  TCP_HEADER,
  TCP_PURPOSE,
  tcpFlags,
  tcpHeaderSize,
} from "../wire/tcp-header.ts";

export const TRAFFIC = {
  /** Nothing special: sparse until it sends much, then in order. */
  ORDINARY: 0,
  /** TCP with content: always in order. */
  STREAM: 1,
  /** TCP that only acknowledges: overtaking the content of its own direction does no harm. */
  ACKNOWLEDGEMENT: 2,
  /** ICMP and DNS: somebody waits for the answer. */
  QUERY: 3,
  /** UDP that is marked so (DSCP): a late packet is worse than none. */
  REALTIME: 4,
} as const;

/** CS4 and above: conferencing (AF4x), CS5, VOICE-ADMIT, EF, CS6 and CS7 (RFC 4594). */
const REALTIME_DSCP = 32;
const DNS_PORT = 53;

export function classify(view: DataView, start: number, parsed: ParsedHeader): number {
  const { protocol } = parsed;
  if (protocol === PROTOCOL.TCP) return isBareAck(view, start, parsed) ? TRAFFIC.ACKNOWLEDGEMENT : TRAFFIC.STREAM;
  if (protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6) return TRAFFIC.QUERY;
  if (protocol !== PROTOCOL.UDP) return TRAFFIC.ORDINARY;
  if (parsed.trafficClass >>> 2 >= REALTIME_DSCP) return TRAFFIC.REALTIME;
  if (parsed.isFragment || parsed.transport + 4 > parsed.length) return TRAFFIC.ORDINARY;
  const at = start + parsed.transport;
  const isDns = sourcePort(view, at) === DNS_PORT || destinationPort(view, at) === DNS_PORT;
  return isDns ? TRAFFIC.QUERY : TRAFFIC.ORDINARY;
}

function isBareAck(view: DataView, start: number, parsed: ParsedHeader): boolean {
  if (parsed.isFragment || parsed.transport + TCP_HEADER > parsed.length) return false;
  const tcp = start + parsed.transport;
  if ((tcpFlags(view, tcp) & TCP_PURPOSE) !== TCP_FLAG.ACK) return false;
  return parsed.transport + tcpHeaderSize(view, tcp) === parsed.length;
}
