/** Health of the tunnel as a whole: security, memory, socket buffers, and what was dropped for reasons that need a person. */
import type { DropReason } from "../../drops.ts";
import type { TunnelSnapshot } from "../../portal/snapshot.ts";
import type { Check, CheckName, Finding, Severity } from "../finding.ts";
import { formatBytes, formatMillis, formatShare } from "../units.ts";

/** Share of free slots below which memory is about to run out. */
const FEW_SLOTS = 0.05;
/** Packets that came too late for their place, of those received: order could not be kept. */
const LATE = 0.01;
/** Packets in parts, of those sent. */
const PARTS = 0.01;

export const TUNNEL_CHECKS: readonly Check[] = [securityNone, drops, fewSlots, smallBuffers, lateOrder, sentInParts];

export function securityNone({ interface: subject, snapshot }: Parameters<Check>[0]): Finding[] {
  if (snapshot.security !== "none") return [];
  return [
    {
      severity: "warning",
      check: "security-none",
      subject,
      text: "Security is none: everybody can read, forge and inject packets",
      advice: "only for use inside another secured network; otherwise leave Security out, at both portals",
    },
  ];
}

/** A reason for drops that needs somebody's attention: from which count, as a share of what, and what to do. */
interface DropRule {
  readonly reason: DropReason;
  readonly check: CheckName;
  readonly severity: Severity;
  /** While a path is up: it does work, then. */
  readonly severityWhileUp?: Severity;
  /** Fewer than this happens on good networks too. */
  readonly least: number;
  /** Share of the packets of this direction from which on it matters. */
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
    text: "exchange messages were not made with our key",
    advice: "compare the keys of both portals; if they agree, somebody else is knocking",
  },
  {
    reason: "datagram-version",
    check: "version-differs",
    severity: "warning",
    least: 3,
    text: "datagrams are of another version of the protocol",
    advice: "upgrade both portals to the same version",
  },
  {
    reason: "message-malformed",
    check: "version-differs",
    severity: "warning",
    least: 3,
    text: "authentic datagrams made no sense",
    advice: "upgrade both portals to the same version",
  },
  {
    reason: "datagram-forged",
    check: "forged",
    severity: "warning",
    least: 10,
    text: "datagrams had a wrong authentication",
    advice: "somebody forges, or a device on the way alters datagrams; compare the links' counters",
  },
  {
    reason: "packet-too-big",
    check: "mtu",
    severity: "warning",
    least: 1,
    text: "packets were too large for the tunnel",
    advice: "set the same MTU in [Host] at both portals, and let hosts behind them hear ICMP errors",
  },
  {
    reason: "no-slot",
    check: "memory",
    severity: "warning",
    least: 1,
    share: { of: "inbound", from: 0.0001 },
    text: "packets and datagrams were dropped for want of memory",
    advice: "more arrives than this host handles; look for a core at 100 %, or a stalled machine",
  },
  {
    reason: "sink-full",
    check: "host-full",
    severity: "warning",
    least: 1,
    share: { of: "inbound", from: 0.0001 },
    text: "packets were refused by the host",
    advice: "see that the interface is up, and raise its txqueuelen",
  },
  {
    reason: "send-failed",
    check: "send-failed",
    severity: "warning",
    least: 100,
    share: { of: "outbound", from: 0.001 },
    text: "datagrams could not be sent",
    advice: "the log names the error: no route, interface down, or refused by the firewall",
  },
  {
    reason: "queue-full",
    check: "overload",
    severity: "note",
    least: 100,
    share: { of: "outbound", from: 0.05 },
    text: "packets were dropped because more is sent than the links take",
    advice: "senders that do not slow down (UDP) do that; limit them, or add a link",
  },
];

export function drops({ interface: subject, snapshot }: Parameters<Check>[0]): Finding[] {
  const isUp = snapshot.links.some((link) => link.paths.some((path) => path.state === "up"));
  return DROP_RULES.flatMap(({ reason, check, least, share, text, advice, ...rule }) => {
    const count = snapshot.drops[reason] ?? 0;
    if (count < least || (share && count < share.from * snapshot[share.of].packets)) return [];
    const severity = (isUp ? rule.severityWhileUp : undefined) ?? rule.severity;
    return [{ severity, check, subject, text: `${count} ${text}`, advice }];
  });
}

export function fewSlots({ interface: subject, snapshot: { slots } }: Parameters<Check>[0]): Finding[] {
  if (slots.total === 0 || slots.free >= slots.total * FEW_SLOTS) return [];
  return [
    {
      severity: "warning",
      check: "memory",
      subject,
      text: `only ${slots.free} of ${slots.total} slots for packets are free`,
      advice: "more is sent than the links take; look at the queue, and at paths that do not answer",
    },
  ];
}

/** The kernel bounds what may be asked for unless the process may exceed it. */
export function smallBuffers({ snapshot }: Parameters<Check>[0]): Finding[] {
  const small = snapshot.sockets.filter((socket) => Math.min(socket.receiveBuffer, socket.sendBuffer) < socket.asked);
  const byLink = new Map(small.map((socket) => [socket.link, socket]));
  return [...byLink.values()].map(({ link, asked, receiveBuffer, sendBuffer }) => ({
    severity: "warning",
    check: "socket-buffers",
    subject: nameOf(snapshot, link),
    text: `socket buffers of ${formatBytes(receiveBuffer)} to receive and ${formatBytes(sendBuffer)} to send; ${formatBytes(asked)} were asked for`,
    advice: "raise net.core.rmem_max and wmem_max (FreeBSD: kern.ipc.maxsockbuf), or give the process CAP_NET_ADMIN",
  }));
}

function nameOf({ links }: TunnelSnapshot, id: number): string {
  return links.find((link) => link.id === id)?.name ?? `link ${id}`;
}

export function lateOrder({ interface: subject, snapshot: { order, inbound } }: Parameters<Check>[0]): Finding[] {
  if (order.late < 100 || order.late < LATE * inbound.packets) return [];
  return [
    {
      severity: "warning",
      check: "late",
      subject,
      text: `${formatShare(order.late / inbound.packets)} of the packets came later than ${formatMillis(order.hold)} after their turn`,
      advice: "the links' delays vary more than is foreseen; try without the worst one, or raise its Metric",
    },
  ];
}

/** It works, and costs a header more for each packet. */
export function sentInParts({
  interface: subject,
  snapshot: { fragments, outbound, mtu },
}: Parameters<Check>[0]): Finding[] {
  if (fragments.sent < 100 || fragments.sent < PARTS * outbound.packets) return [];
  const share = formatShare(fragments.sent / Math.max(1, outbound.packets));
  return [
    {
      severity: "note",
      check: "parts",
      subject,
      text: `${share} of the packets went in parts, as a path does not take ${mtu} bytes whole`,
      advice: "a smaller MTU in [Host], the same at both portals, avoids it",
    },
  ];
}
