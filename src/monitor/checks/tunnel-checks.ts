/** Checks the tunnel as a whole: security, memory, socket buffers, and drops for reasons that somebody has to mend. */
import type { DropReason } from "../../drops.ts";
import type { TunnelSnapshot } from "../../portal/snapshot.ts";
import type { Check, CheckName, Finding, Severity } from "../finding.ts";
import { formatBytes, formatMillis, formatShare } from "../units.ts";

/** Share of free packet slots below which memory is about to run out. */
const FEW_SLOTS = 0.05;
/** Share of the received packets that arrived after their gap timed out, from which on order is not kept. */
const LATE = 0.01;
/** Share of the sent packets that were fragmented, from which on it matters. */
const FRAGMENTED = 0.01;
/**
 * Lateness of one timer in a thousand from which on the machine is too busy, µs: above what the pacer makes up for, so that rate and latency suffer.
 * Fewer timers than that many tell nothing of one in a thousand.
 */
const BUSY_LATENESS = 10_000;
const FEW_TIMERS = 2_000;

export const TUNNEL_CHECKS: readonly Check[] = [
  securityNone,
  drops,
  fewSlots,
  smallBuffers,
  latePackets,
  fragmentedPackets,
  busyMachine,
];

/** Reports a tunnel without encryption and authentication. */
export function securityNone({ interface: subject, snapshot }: Parameters<Check>[0]): Finding[] {
  if (snapshot.security !== "none") return [];
  return [
    {
      severity: "warning",
      check: "security-none",
      subject,
      text: "Security is none: everybody can read, forge and inject packets",
      advice: "use it only inside another secured network; otherwise remove Security at both portals",
    },
  ];
}

/** Says from which count on drops for a reason are a finding, and what to do about them. */
interface DropRule {
  readonly reason: DropReason;
  readonly check: CheckName;
  readonly severity: Severity;
  /** Severity while a path is up, since the tunnel works then. */
  readonly severityWhileUp?: Severity;
  /** Smallest count that is a finding; fewer happen on good networks too. */
  readonly least: number;
  /** Smallest share of the packets of a direction that is a finding. */
  readonly share?: { readonly of: "inbound" | "outbound"; readonly from: number };
  readonly text: string;
  readonly advice: string;
}

export const DROP_RULES: readonly DropRule[] = [
  {
    reason: "exchange-forged",
    check: "keys-differ",
    severity: "problem",
    severityWhileUp: "note",
    least: 3,
    text: "exchange messages were made with another key",
    advice: "compare the keys of both portals; if they belong together, somebody else tries to connect",
  },
  {
    reason: "datagram-version",
    check: "version-differs",
    severity: "warning",
    least: 3,
    text: "datagrams have another version of the protocol",
    advice: "upgrade both portals to the same version",
  },
  {
    reason: "message-malformed",
    check: "version-differs",
    severity: "warning",
    least: 3,
    text: "authentic datagrams could not be parsed",
    advice: "upgrade both portals to the same version",
  },
  {
    reason: "datagram-forged",
    check: "forged",
    severity: "warning",
    least: 10,
    text: "datagrams failed authentication",
    advice: "somebody forges datagrams, or a device between the portals alters them; compare the counters of the links",
  },
  {
    reason: "packet-too-big",
    check: "mtu",
    severity: "warning",
    least: 1,
    text: "packets were larger than the MTU of the tunnel",
    advice: "set the same MTU in [Host] at both portals, and let ICMP errors through to the hosts behind them",
  },
  {
    reason: "no-slot",
    check: "memory",
    severity: "warning",
    least: 1,
    share: { of: "inbound", from: 0.0001 },
    text: "packets and datagrams found no free packet slot",
    advice: "more arrives than this host handles; look for a CPU core at 100 %, or a machine that stalls",
  },
  {
    reason: "sink-full",
    check: "host-full",
    severity: "warning",
    least: 1,
    share: { of: "inbound", from: 0.0001 },
    text: "packets were refused by the host",
    advice: "check that the interface is up, and raise its txqueuelen",
  },
  {
    reason: "send-failed",
    check: "send-failed",
    severity: "warning",
    least: 100,
    share: { of: "outbound", from: 0.001 },
    text: "datagrams could not be sent",
    advice: "see the log for the error: no route, interface down, or refused by the firewall",
  },
  {
    reason: "queue-full",
    check: "overload",
    severity: "note",
    least: 100,
    share: { of: "outbound", from: 0.05 },
    text: "packets were dropped because the host sends more than the links carry",
    advice: "limit senders without congestion control (UDP), or add a link",
  },
  {
    reason: "packet-source",
    check: "foreign-address",
    severity: "warning",
    least: 10,
    text: "packets out of the tunnel had a source address that is not the other portal's",
    advice: "name its networks in PeerNetworks or AllowedIPs; if they are complete, somebody there spoofs addresses",
  },
  {
    reason: "packet-destination",
    check: "foreign-address",
    severity: "warning",
    least: 10,
    text: "packets for the tunnel had a destination address that is not the other portal's",
    advice: "correct the routes into the tunnel, or name the network in PeerNetworks or AllowedIPs",
  },
];

/** Reports drops by `DROP_RULES`. */
export function drops({ interface: subject, snapshot }: Parameters<Check>[0]): Finding[] {
  const isUp = snapshot.links.some((link) => link.paths.some((path) => path.state === "up"));
  return DROP_RULES.flatMap(({ reason, check, least, share, text, advice, ...rule }) => {
    const count = snapshot.drops[reason] ?? 0;
    if (count < least || (share && count < share.from * snapshot[share.of].packets)) return [];
    const severity = (isUp ? rule.severityWhileUp : undefined) ?? rule.severity;
    return [{ severity, check, subject, text: `${count} ${text}`, advice }];
  });
}

/** Reports memory that is about to run out. */
export function fewSlots({ interface: subject, snapshot: { slots } }: Parameters<Check>[0]): Finding[] {
  if (slots.total === 0 || slots.free >= slots.total * FEW_SLOTS) return [];
  return [
    {
      severity: "warning",
      check: "memory",
      subject,
      text: `only ${slots.free} of ${slots.total} packet slots are free`,
      advice: "the host sends more than the links carry; see the queue, and paths that do not answer",
    },
  ];
}

/** Reports socket buffers that the kernel made smaller than requested, as it does unless the process may exceed its limits. */
export function smallBuffers({ snapshot }: Parameters<Check>[0]): Finding[] {
  const small = snapshot.sockets.filter((socket) => Math.min(socket.receiveBuffer, socket.sendBuffer) < socket.asked);
  const byLink = new Map(small.map((socket) => [socket.link, socket]));
  return [...byLink.values()].map(({ link, asked, receiveBuffer, sendBuffer }) => ({
    severity: "warning",
    check: "socket-buffers",
    subject: nameOf(snapshot, link),
    text: `socket buffers are ${formatBytes(receiveBuffer)} to receive and ${formatBytes(sendBuffer)} to send; ${formatBytes(asked)} were requested`,
    advice: "raise net.core.rmem_max and wmem_max (FreeBSD: kern.ipc.maxsockbuf), or give the process CAP_NET_ADMIN",
  }));
}

function nameOf({ links }: TunnelSnapshot, id: number): string {
  return links.find((link) => link.id === id)?.name ?? `link ${id}`;
}

/** Reports packets that arrived after their gap in the reordering buffer timed out. */
export function latePackets({ interface: subject, snapshot: { order, inbound } }: Parameters<Check>[0]): Finding[] {
  if (order.late < 100 || order.late < LATE * inbound.packets) return [];
  return [
    {
      severity: "warning",
      check: "late",
      subject,
      text: `${formatShare(order.late / inbound.packets)} of the packets arrived more than ${formatMillis(order.hold)} after their turn`,
      advice:
        "the delays of the links vary more than netcombiner expects; take the worst link down, or raise its Metric",
    },
  ];
}

/** Reports packets that are fragmented: it works, and costs one more header a packet. */
export function fragmentedPackets({
  interface: subject,
  snapshot: { fragments, outbound, mtu },
}: Parameters<Check>[0]): Finding[] {
  if (fragments.sent < 100 || fragments.sent < FRAGMENTED * outbound.packets) return [];
  const share = formatShare(fragments.sent / Math.max(1, outbound.packets));
  return [
    {
      severity: "note",
      check: "fragmented",
      subject,
      text: `${share} of the packets were fragmented, as the MTU of a path is too small for packets of ${mtu} bytes`,
      advice: "set a smaller MTU in [Host], the same at both portals, to avoid it",
    },
  ];
}

/** Reports a machine that leaves the thread that moves packets too little of its processor. */
export function busyMachine({ interface: subject, snapshot: { loop } }: Parameters<Check>[0]): Finding[] {
  if (loop === undefined || loop.lateness.count < FEW_TIMERS || loop.lateness.p999 < BUSY_LATENESS) return [];
  return [
    {
      severity: "note",
      check: "busy-machine",
      subject,
      text: `the machine is busy: of a thousand timers one came ${formatMillis(loop.lateness.p999)} late or more, the latest ${formatMillis(loop.lateness.longest)}`,
      advice: "find what else uses the processor (top), or give the tunnel more of it: CPUWeight= or Nice= in its unit",
    },
  ];
}
