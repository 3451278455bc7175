/**
 * Renders the report as metrics in the Prometheus text format 0.0.4, with names, units and types by its conventions (base units, `_total`
 * for counters). Each line of a table is one family; a new figure is one more line. Names are never changed once released.
 */
import { MICROS_PER_SECOND } from "../clock.ts";
import { DROP_REASONS } from "../drops.ts";
import type { LinkSnapshot, PathSnapshot } from "../portal/snapshot.ts";
import type { Severity } from "./finding.ts";
import { findings } from "./health.ts";
import type { TunnelReport } from "./tunnel-report.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];
/** Returns one value, or several with a label each. */
type Read<T> = (of: T) => number | readonly Sample[];
type MetricFamily<T> = readonly [name: string, type: "counter" | "gauge", help: string, read: Read<T>];

const SEVERITIES: readonly Severity[] = ["problem", "warning", "note"];

const both = (inbound: number, outbound: number): readonly Sample[] => [
  [{ direction: "inbound" }, inbound],
  [{ direction: "outbound" }, outbound],
];

const TUNNEL_FAMILIES: readonly MetricFamily<TunnelReport>[] = [
  [
    "info",
    "gauge",
    "Version and settings of a running tunnel, always 1.",
    ({ version, snapshot }) => [[{ version, security: snapshot.security }, 1]],
  ],
  ["uptime_seconds", "gauge", "Time since the tunnel came up.", ({ uptime }) => uptime],
  ["mtu_bytes", "gauge", "Largest packet inside the tunnel.", ({ snapshot }) => snapshot.mtu],
  [
    "packets_total",
    "counter",
    "Inner packets, from the host (outbound) and to the host (inbound).",
    ({ snapshot }) => both(snapshot.inbound.packets, snapshot.outbound.packets),
  ],
  [
    "bytes_total",
    "counter",
    "Bytes of inner packets.",
    ({ snapshot }) => both(snapshot.inbound.bytes, snapshot.outbound.bytes),
  ],
  ["queue_packets", "gauge", "Packets in the ingress queue.", ({ snapshot }) => snapshot.queue.packets],
  ["queue_bytes", "gauge", "Bytes in the ingress queue.", ({ snapshot }) => snapshot.queue.bytes],
  [
    "retransmitted_packets_total",
    "counter",
    "Packets sent again after their datagram was declared lost.",
    ({ snapshot }) => snapshot.resent.retransmitted,
  ],
  [
    "reinjected_packets_total",
    "counter",
    "Packets sent again on another path before a loss was known.",
    ({ snapshot }) => snapshot.resent.reinjected,
  ],
  [
    "flows",
    "gauge",
    "Flows with packets in the ingress queue, by kind.",
    ({ snapshot }) => [
      [{ kind: "sparse" }, snapshot.aqm.sparse],
      [{ kind: "bulk" }, snapshot.aqm.bulk],
    ],
  ],
  [
    "duplicated_packets_total",
    "counter",
    "Packets of sparse flows sent a second time at once, on an idle path.",
    ({ snapshot }) => snapshot.resent.duplicated,
  ],
  [
    "redundant_received_total",
    "counter",
    "Packets that arrived a second time, as the peer resent them.",
    ({ snapshot }) => snapshot.resent.received,
  ],
  ["aqm_marked_total", "counter", "Packets marked with ECN CE by the AQM.", ({ snapshot }) => snapshot.aqm.marked],
  ["aqm_dropped_total", "counter", "Packets dropped by the AQM.", ({ snapshot }) => snapshot.aqm.dropped],
  ["shed_total", "counter", "Packets dropped because the ingress queue was full.", ({ snapshot }) => snapshot.aqm.shed],
  [
    "abandoned_packets_total",
    "counter",
    "Lost packets that were not retransmitted because they would have come too late.",
    ({ snapshot }) => snapshot.resent.abandoned,
  ],
  ["reorder_held_packets", "gauge", "Packets in the reordering buffer.", ({ snapshot }) => snapshot.order.held],
  [
    "reorder_packets_total",
    "counter",
    "Packets that passed through the reordering buffer.",
    ({ snapshot }) => snapshot.order.heldTotal,
  ],
  [
    "reorder_expired_total",
    "counter",
    "Gaps in the order of packets that timed out.",
    ({ snapshot }) => snapshot.order.expired,
  ],
  [
    "reorder_late_packets_total",
    "counter",
    "Packets that arrived after their gap had timed out.",
    ({ snapshot }) => snapshot.order.late,
  ],
  [
    "reorder_hold_seconds",
    "gauge",
    "Timeout of a gap in the reordering buffer.",
    ({ snapshot }) => seconds(snapshot.order.hold),
  ],
  [
    "fragmented_packets_total",
    "counter",
    "Packets sent as fragments because they exceed the MTU of their path.",
    ({ snapshot }) => snapshot.fragments.sent,
  ],
  [
    "loop_turn_p999_seconds",
    "gauge",
    "Duration that 99.9 % of the turns of the packet thread did not exceed in the last one to two minutes.",
    ({ snapshot }) => seconds(snapshot.loop?.turn.p999 ?? 0),
  ],
  [
    "loop_turn_longest_seconds",
    "gauge",
    "Longest turn of the packet thread in the last one to two minutes.",
    ({ snapshot }) => seconds(snapshot.loop?.turn.longest ?? 0),
  ],
  [
    "loop_lateness_p999_seconds",
    "gauge",
    "Time by which 99.9 % of the timers of the packet thread were late at most in the last one to two minutes.",
    ({ snapshot }) => seconds(snapshot.loop?.lateness.p999 ?? 0),
  ],
  [
    "loop_lateness_longest_seconds",
    "gauge",
    "Time by which the latest timer of the packet thread was late in the last one to two minutes.",
    ({ snapshot }) => seconds(snapshot.loop?.lateness.longest ?? 0),
  ],
  ["slots", "gauge", "Packet slots in memory.", ({ snapshot }) => snapshot.slots.total],
  ["slots_free", "gauge", "Free packet slots.", ({ snapshot }) => snapshot.slots.free],
  [
    "dropped_total",
    "counter",
    "Packets and datagrams dropped, by reason.",
    ({ snapshot }) =>
      DROP_REASONS.filter((reason) => reason !== "none").map((reason) => [{ reason }, snapshot.drops[reason] ?? 0]),
  ],
  [
    "health_findings",
    "gauge",
    "Findings of the health checks of netcombiner show, by severity.",
    (report) => {
      const found = findings(report);
      return SEVERITIES.map((severity) => [{ severity }, found.filter((one) => one.severity === severity).length]);
    },
  ],
];

const LINK_FAMILIES: readonly MetricFamily<LinkSnapshot>[] = [
  ["link_up", "gauge", "State of the link: 1 if a path of it is up.", (link) => flag(link.paths.some(isUp))],
  ["link_ups_total", "counter", "Number of times an initiating link came up.", (link) => link.ups],
  ["link_failed_attempts", "gauge", "Failed attempts to connect since the link was last up.", (link) => link.failures],
  ["link_paths", "gauge", "Paths of the link.", (link) => link.paths.length],
];

const PATH_FAMILIES: readonly MetricFamily<PathSnapshot>[] = [
  ["path_up", "gauge", "State of the path: 1 if it is up.", (path) => flag(isUp(path))],
  [
    "path_carrying",
    "gauge",
    "Role of the path: 1 if it is up and carries packets, 0 on standby.",
    (path) => flag(isUp(path) && !path.standby),
  ],
  [
    "path_metric",
    "gauge",
    "Metric of the path; paths with the lowest metric carry the packets.",
    (path) => path.metric,
  ],
  ["path_rtt_seconds", "gauge", "Smoothed round-trip time.", (path) => seconds(path.rtt.smoothed)],
  ["path_rtt_min_seconds", "gauge", "Smallest round-trip time seen lately.", (path) => seconds(path.rtt.min)],
  [
    "path_datagrams_total",
    "counter",
    "Datagrams received (inbound) and sent (outbound).",
    (path) => both(path.received.packets, path.sent.packets),
  ],
  [
    "path_bytes_total",
    "counter",
    "Bytes of datagrams, with all headers of the tunnel.",
    (path) => both(path.received.bytes, path.sent.bytes),
  ],
  ["path_lost_datagrams_total", "counter", "Datagrams sent and declared lost.", (path) => path.lost],
  [
    "path_missing_datagrams",
    "gauge",
    "Datagrams of the peer that have not arrived since the path came up.",
    (path) => path.missing,
  ],
  ["path_in_flight_bytes", "gauge", "Bytes sent and neither acknowledged nor declared lost.", (path) => path.inFlight],
  ["path_window_bytes", "gauge", "Congestion window; 0 for no limit.", (path) => path.window],
  ["path_pacing_rate_bytes_per_second", "gauge", "Pacing rate; 0 for no limit.", (path) => path.pacingRate],
  [
    "path_estimate_bytes_per_second",
    "gauge",
    "Estimate of the rate that the path carries; 0 while unknown.",
    (path) => path.control.estimate,
  ],
  [
    "path_resent_total",
    "counter",
    "Packets that the path resent, by reason.",
    ({ resent }) => [
      [{ reason: "retransmission" }, resent.retransmissions],
      [{ reason: "reinjection" }, resent.reinjections],
      [{ reason: "duplicate" }, resent.duplicates],
    ],
  ],
  [
    "path_padding_bytes_total",
    "counter",
    "Bytes of padding sent to measure the rate of the path.",
    (path) => path.padding,
  ],
  ["path_key_age_seconds", "gauge", "Time since the keys in use were agreed.", (path) => seconds(path.keys.age)],
  ["path_rekeys_total", "counter", "Number of rekeys.", (path) => path.keys.rekeys],
  [
    "path_limit_bytes_per_second",
    "gauge",
    "Configured limit of the path; 0 for none.",
    (path) => both(path.limits.in, path.limits.out),
  ],
  ["path_mtu_bytes", "gauge", "Largest datagram that passes the path.", (path) => path.mtu],
];

/** Names of all families; the tests hold the dashboard and the documents to them. */
export const METRIC_NAMES: readonly string[] = [...TUNNEL_FAMILIES, ...LINK_FAMILIES, ...PATH_FAMILIES].map(
  ([name]) => `netcombiner_${name}`,
);

/** Returns all families that have a sample, for one tunnel or several. */
export function renderMetrics(reports: readonly TunnelReport[]): string {
  const links = reports.flatMap((report) =>
    report.snapshot.links.map((link) => [{ interface: report.interface, link: link.name }, link] as const),
  );
  const paths = links.flatMap(([labels, link]) =>
    distinctPaths(link.paths).map((path) => [{ ...labels, path: path.name }, path] as const),
  );
  return [
    ...render(
      TUNNEL_FAMILIES,
      reports.map((report) => [{ interface: report.interface }, report] as const),
    ),
    ...render(LINK_FAMILIES, links),
    ...render(PATH_FAMILIES, paths),
  ].join("");
}

function render<T>(families: readonly MetricFamily<T>[], subjects: readonly (readonly [Labels, T])[]): string[] {
  if (subjects.length === 0) return [];
  return families.map(([name, type, help, read]) => {
    const full = `netcombiner_${name}`;
    const samples = subjects.flatMap(([labels, subject]) => {
      const found = read(subject);
      const all: readonly Sample[] = typeof found === "number" ? [[{}, found]] : found;
      return all.map(([more, value]) => `${full}{${renderLabels({ ...labels, ...more })}} ${value}\n`);
    });
    return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.join("")}`;
  });
}

/**
 * Returns one path for each name: the one that is up, or the newest. A path and its replacement share a name for a while, and a series must
 * not appear twice.
 */
function distinctPaths(paths: readonly PathSnapshot[]): PathSnapshot[] {
  const byName = new Map<string, PathSnapshot>();
  for (const path of paths) {
    const known = byName.get(path.name);
    if (!known || isUp(path) || !isUp(known)) byName.set(path.name, path);
  }
  return [...byName.values()];
}

function renderLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
    )
    .join(",");
}

function isUp(path: PathSnapshot): boolean {
  return path.state === "up";
}

function flag(is: boolean): number {
  return is ? 1 : 0;
}

function seconds(micros: number): number {
  return micros / MICROS_PER_SECOND;
}
