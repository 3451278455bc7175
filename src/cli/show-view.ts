/**
 * Renders the text of `show` in the layout of wg(8): a block for the tunnel, one for each link with its paths nested, and the findings of
 * the health checks. Each block is a table of lines; a new figure is one more line of it.
 */
import { MICROS_PER_SECOND } from "../clock.ts";
import { drainTime, queueingDelay, shareMissing } from "../monitor/derived.ts";
import type { Finding } from "../monitor/finding.ts";
import { findings } from "../monitor/health.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatMillis,
  formatRate,
  formatSeconds,
  formatShare,
} from "../monitor/units.ts";
import type { DurationSnapshot, LinkSnapshot, PathSnapshot, Traffic } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";

/** Returns the pairs of one line, "name: value, name: value"; the line is left out when there are none. */
type Line<T> = (of: T, c: Colours) => (readonly [name: string, value: string | number])[];

const TUNNEL_LINES: readonly Line<TunnelReport>[] = [
  ({ uptime, pid, version }) => [["running", `${formatSeconds(uptime)}, pid ${pid}, version ${version}`]],
  ({ snapshot }) => [
    ["security", snapshot.security],
    ["mtu", snapshot.mtu],
  ],
  ({ snapshot: { publicKey } }) => (publicKey === "" ? [] : [["public key", publicKey]]),
  ({ snapshot: { peerKey } }) => (peerKey === "" ? [] : [["peer's public key", peerKey]]),
  ({ snapshot }) => [["transfer", transfer(snapshot.inbound, snapshot.outbound)]],
  ({ snapshot }) => [
    [
      "queue",
      `${formatCount(snapshot.queue.packets, "packet")}, ${formatBytes(snapshot.queue.bytes)}${timeToDrain(snapshot)}`,
    ],
    ["flows", `${snapshot.aqm.sparse} sparse, ${snapshot.aqm.bulk} bulk`],
    ["packet slots", `${snapshot.slots.free} of ${snapshot.slots.total} free`],
  ],
  ({ snapshot: { aqm } }) =>
    aqm.marked + aqm.dropped + aqm.shed === 0
      ? []
      : [["AQM", `${aqm.marked} marked, ${aqm.dropped} dropped, ${aqm.shed} shed`]],
  ({ snapshot: { fragments } }) =>
    fragments.sent === 0 ? [] : [["fragmented", formatCount(fragments.sent, "packet")]],
  ({ snapshot: { resent } }) =>
    resent.retransmitted + resent.reinjected + resent.duplicated + resent.received + resent.abandoned === 0
      ? []
      : [
          ["resent", resentText(resent.retransmitted, resent.reinjected, resent.duplicated)],
          ["abandoned", resent.abandoned],
          ["redundant received", resent.received],
        ],
  ({ snapshot: { order } }) =>
    order.heldTotal === 0
      ? []
      : [
          [
            "reordering buffer",
            `${formatCount(order.held, "packet")}, ${order.heldTotal} in all, timeout ${formatMillis(order.hold)}, ${formatCount(order.expired, "gap")} timed out, ${order.late} late`,
          ],
        ],
  ({ snapshot: { loop } }) =>
    loop === undefined || loop.turn.count === 0
      ? []
      : [
          ["loop turns", durations(loop.turn)],
          ["timers late", durations(loop.lateness)],
        ],
  ({ snapshot }) => {
    const reasons = Object.entries(snapshot.drops).filter(([, count]) => count > 0);
    return reasons.length === 0 ? [] : [["dropped", reasons.map(([name, count]) => `${name} ${count}`).join(", ")]];
  },
];

const LINK_LINES: readonly Line<LinkSnapshot>[] = [
  (link, c) => {
    const retry = link.retryIn > 0 ? `, next attempt in ${(link.retryIn / MICROS_PER_SECOND).toFixed(1)} s` : "";
    const failures = link.failures > 0 ? `, ${formatCount(link.failures, "failed attempt")}` : "";
    return [["state", `${stateText(link, c)}${failures}${retry}`]];
  },
  ({ byHand }) => (byHand === "" ? [] : [["changed by hand", byHand]]),
  ({ refused }) => (refused ? [["refused", `${formatAge(refused.age)} ago: ${refused.text}`]] : []),
];

const PATH_LINES: readonly Line<PathSnapshot>[] = [
  (path, c) => {
    const role = path.state !== "up" ? "" : path.standby ? ", standby" : ", carrying";
    return [
      ["state", `${stateText(path, c)}${role}`],
      ["metric", path.metric],
    ];
  },
  ({ keys }) => [["keys", `${keys.suite}, agreed ${formatAge(keys.age)} ago`]],
  (path) => roundTrip(path),
  ({ rate, pacingRate }) => [
    ["rate", `${formatRate(rate.sent)} sent, ${formatRate(rate.received)} received`],
    ...(pacingRate === 0 ? [] : [["pacing rate", formatRate(pacingRate)] as const]),
  ],
  (path) => [
    [
      "loss sent",
      `${formatShare(path.loss)} now, ${path.lost} of ${formatCount(path.sent.packets, "datagram")} in all`,
    ],
    ["loss received", formatShare(shareMissing(path))],
  ],
  (path) => [
    ["in flight", formatBytes(path.inFlight)],
    ["window", path.window === 0 ? "unlimited" : formatBytes(path.window)],
    ["congestion control", congestionControl(path)],
  ],
  (path) => [
    ["transfer", transfer(path.received, path.sent)],
    ...(path.padding === 0 ? [] : [["padding", formatBytes(path.padding)] as const]),
    ["mtu", path.mtuState === "searching" ? `${path.mtu} (searching)` : path.mtu],
  ],
  ({ resent: { retransmissions, reinjections, duplicates } }) =>
    retransmissions + reinjections + duplicates === 0
      ? []
      : [["resent", resentText(retransmissions, reinjections, duplicates)]],
  ({ limits }) => {
    const metered: [string, string][] = limits.metered ? [["metered", "no reinjections, few keepalives"]] : [];
    const rates = [
      limits.out > 0 ? `${formatRate(limits.out)} out` : "",
      limits.in > 0 ? `${formatRate(limits.in)} in` : "",
    ];
    const text = rates.filter((rate) => rate !== "").join(", ");
    return text === "" ? metered : [["limit", text], ...metered];
  },
];

/** Returns "rate (cruise), estimate 48.00 Mbit/s, random loss 0.50 %". */
function congestionControl({ congestion: name, control: { mode, estimate, randomLoss } }: PathSnapshot): string {
  const rate = estimate > 0 ? `, estimate ${formatRate(estimate)}` : "";
  const loss = estimate > 0 && randomLoss > 0.0005 ? `, random loss ${formatShare(randomLoss)}` : "";
  return `${name}${mode === "" ? "" : ` (${mode})`}${rate}${loss}`;
}

/** Returns "5 retransmitted, 1 reinjected, 2 duplicated". */
function resentText(retransmitted: number, reinjected: number, duplicated: number): string {
  return `${retransmitted} retransmitted, ${reinjected} reinjected, ${duplicated} duplicated`;
}

export function renderShow(report: TunnelReport, c: Colours): string {
  const { interface: name, snapshot } = report;
  const tunnel = [`${c.bold(c.green("interface"))}: ${c.green(name)}`, ...lines(TUNNEL_LINES, report, 1, c)].join("\n");
  return [tunnel, ...snapshot.links.map((link) => renderLink(link, c)), ...renderFindings(findings(report), c)].join(
    "\n\n",
  );
}

function renderLink(link: LinkSnapshot, c: Colours): string {
  return [
    `${c.bold(c.yellow("link"))}: ${c.yellow(link.name)}  (${link.method}, ${ROLES[link.role]})`,
    ...lines(LINK_LINES, link, 1, c),
    ...link.paths.flatMap((path) => [
      `  ${c.bold("path")}: ${path.local} -> ${path.remote}${peerName(path)}`,
      ...lines(PATH_LINES, path, 2, c),
    ]),
  ].join("\n");
}

const ROLES = { initiate: "initiates", listen: "listens" } as const;

/** Commented out, as in `tailscale status`, so that a script that reads the blocks can pass over it; nothing when all is well. */
function renderFindings(found: readonly Finding[], c: Colours): string[] {
  if (found.length === 0) return [];
  const paint = { problem: c.red, warning: c.yellow, note: (text: string) => text };
  const items = found.flatMap(({ severity, check, subject, text, advice }) => [
    `#   - ${paint[severity](`${subject}: ${text}`)}`,
    `#       ${advice} [${check}]`,
  ]);
  return [["# Health check:", ...items].join("\n")];
}

/** Returns "up for 3 minutes" or "waiting for 2 seconds: eth1 has no address". */
function stateText(of: { readonly state: string; readonly age: number; readonly reason: string }, c: Colours): string {
  const isGood = of.state === "up" || of.state === "listening";
  const reason = of.reason === "" || of.state === "up" ? "" : `: ${of.reason}`;
  return `${isGood ? c.green(of.state) : c.red(of.state)} for ${formatAge(of.age)}${reason}`;
}

/** Returns the peer's name for its link, which tells the paths of a listener apart; empty elsewhere. */
function peerName({ name }: PathSnapshot): string {
  const [, own] = name.split("/");
  return own === undefined ? "" : ` (${own})`;
}

function roundTrip(path: PathSnapshot): (readonly [name: string, value: string])[] {
  const { rtt } = path;
  if (rtt.smoothed === 0) return [["rtt", "not measured yet"]];
  const rest = `min ${formatMillis(rtt.min)}, latest ${formatMillis(rtt.latest)}, mean deviation ${formatMillis(rtt.deviation)}`;
  return [
    ["rtt", `${formatMillis(rtt.smoothed)} (${rest})`],
    ["queueing delay", formatMillis(queueingDelay(path))],
  ];
}

function timeToDrain(snapshot: TunnelReport["snapshot"]): string {
  const delay = drainTime(snapshot);
  return delay === 0 ? "" : `, drains in ${formatMillis(delay)}`;
}

function transfer(received: Traffic, sent: Traffic): string {
  return `${formatBytes(received.bytes)} received, ${formatBytes(sent.bytes)} sent`;
}

function lines<T>(table: readonly Line<T>[], of: T, depth: number, c: Colours): string[] {
  return table
    .map((line) => line(of, c))
    .filter((pairs) => pairs.length > 0)
    .map((pairs) => `${"  ".repeat(depth)}${pairs.map(([name, value]) => `${c.bold(name)}: ${value}`).join(", ")}`);
}

function durations({ p999, longest }: DurationSnapshot): string {
  return `99.9 % at most ${formatMillis(p999)}, longest ${formatMillis(longest)}`;
}
