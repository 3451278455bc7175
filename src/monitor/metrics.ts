/**
 * The report as metrics, in the Prometheus text format 0.0.4: names, units and types follow its conventions (base units, `_total` for
 * counters). Each table is one family a line; a new figure is one more line. Names are never changed.
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
/** One value, or several told apart by further labels. */
type Read<T> = (of: T) => number | readonly Sample[];
type Family<T> = readonly [name: string, type: "counter" | "gauge", help: string, read: Read<T>];

const SEVERITIES: readonly Severity[] = ["problem", "warning", "note"];

const both = (inbound: number, outbound: number): readonly Sample[] => [
  [{ direction: "inbound" }, inbound],
  [{ direction: "outbound" }, outbound],
];

export const TUNNEL_FAMILIES: readonly Family<TunnelReport>[] = [
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
    "Users' packets, from the host (outbound) and to the host (inbound).",
    ({ snapshot }) => both(snapshot.inbound.packets, snapshot.outbound.packets),
  ],
  [
    "bytes_total",
    "counter",
    "Bytes of users' packets.",
    ({ snapshot }) => both(snapshot.inbound.bytes, snapshot.outbound.bytes),
  ],
  ["queue_packets", "gauge", "Packets waiting for a path.", ({ snapshot }) => snapshot.queue.packets],
  ["queue_bytes", "gauge", "Bytes waiting for a path.", ({ snapshot }) => snapshot.queue.bytes],
  [
    "retransmitted_packets_total",
    "counter",
    "Packets sent again after a loss.",
    ({ snapshot }) => snapshot.resent.retransmitted,
  ],
  [
    "reinjected_packets_total",
    "counter",
    "Packets sent twice, in advance.",
    ({ snapshot }) => snapshot.resent.reinjected,
  ],
  [
    "flows",
    "gauge",
    "Flows with packets that wait.",
    ({ snapshot }) => [
      [{ kind: "sparse" }, snapshot.aqm.sparse],
      [{ kind: "bulk" }, snapshot.aqm.bulk],
    ],
  ],
  [
    "duplicated_packets_total",
    "counter",
    "Packets of sparse flows sent a second time by an idle path.",
    ({ snapshot }) => snapshot.resent.duplicated,
  ],
  [
    "redundant_received_total",
    "counter",
    "Packets that the peer sent besides another of the same.",
    ({ snapshot }) => snapshot.resent.received,
  ],
  ["aqm_marked_total", "counter", "Packets marked for waiting too long.", ({ snapshot }) => snapshot.aqm.marked],
  ["aqm_dropped_total", "counter", "Packets dropped for waiting too long.", ({ snapshot }) => snapshot.aqm.dropped],
  ["shed_total", "counter", "Packets dropped for want of room in the queue.", ({ snapshot }) => snapshot.aqm.shed],
  [
    "given_up_packets_total",
    "counter",
    "Lost packets not sent again, since it was too late.",
    ({ snapshot }) => snapshot.resent.abandoned,
  ],
  ["reorder_held_packets", "gauge", "Early packets held for their turn.", ({ snapshot }) => snapshot.order.held],
  ["reorder_packets_total", "counter", "Early packets that were held.", ({ snapshot }) => snapshot.order.heldTotal],
  ["reorder_expired_total", "counter", "Holes that were waited for in vain.", ({ snapshot }) => snapshot.order.expired],
  [
    "reorder_late_packets_total",
    "counter",
    "Packets that came after their place was given up.",
    ({ snapshot }) => snapshot.order.late,
  ],
  ["reorder_hold_seconds", "gauge", "Longest wait for a hole.", ({ snapshot }) => seconds(snapshot.order.hold)],
  [
    "parts_sent_total",
    "counter",
    "Packets sent in parts, as no path takes them whole.",
    ({ snapshot }) => snapshot.fragments.sent,
  ],
  ["slots", "gauge", "Slots for packets in memory.", ({ snapshot }) => snapshot.slots.total],
  ["slots_free", "gauge", "Slots for packets that are free.", ({ snapshot }) => snapshot.slots.free],
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
    "What the health checks of netcombiner show find, by severity.",
    (report) => {
      const found = findings(report);
      return SEVERITIES.map((severity) => [{ severity }, found.filter((one) => one.severity === severity).length]);
    },
  ],
];

export const LINK_FAMILIES: readonly Family<LinkSnapshot>[] = [
  ["link_up", "gauge", "Whether a path of the link is up.", (link) => flag(link.paths.some(isUp))],
  ["link_ups_total", "counter", "How often an initiating link came up.", (link) => link.ups],
  ["link_failed_attempts", "gauge", "Failed attempts to connect since the link was last up.", (link) => link.failures],
  ["link_paths", "gauge", "Paths of the link.", (link) => link.paths.length],
];

export const PATH_FAMILIES: readonly Family<PathSnapshot>[] = [
  ["path_up", "gauge", "Whether the path answers.", (path) => flag(isUp(path))],
  ["path_carrying", "gauge", "Whether the path takes packets.", (path) => flag(isUp(path) && !path.standby)],
  ["path_metric", "gauge", "Metric of the path; the lowest that is up carries.", (path) => path.metric],
  ["path_rtt_seconds", "gauge", "Smoothed round-trip time.", (path) => seconds(path.rtt.smoothed)],
  ["path_rtt_min_seconds", "gauge", "Smallest round-trip time.", (path) => seconds(path.rtt.min)],
  [
    "path_datagrams_total",
    "counter",
    "Datagrams of the path.",
    (path) => both(path.received.packets, path.sent.packets),
  ],
  [
    "path_bytes_total",
    "counter",
    "Bytes of datagrams of the path, all headers of the tunnel included.",
    (path) => both(path.received.bytes, path.sent.bytes),
  ],
  ["path_lost_datagrams_total", "counter", "Datagrams sent and taken for lost.", (path) => path.lost],
  [
    "path_missing_datagrams",
    "gauge",
    "Datagrams of the peer that did not arrive, or not yet, since the path exists.",
    (path) => path.missing,
  ],
  ["path_in_flight_bytes", "gauge", "Bytes sent and not settled.", (path) => path.inFlight],
  ["path_window_bytes", "gauge", "Bytes that may be in flight; 0 for no limit.", (path) => path.window],
  [
    "path_pacing_rate_bytes_per_second",
    "gauge",
    "Rate that the congestion controller allows; 0 for no limit.",
    (path) => path.pacingRate,
  ],
  [
    "path_estimate_bytes_per_second",
    "gauge",
    "Rate the path is believed to carry; 0 while unknown.",
    (path) => path.control.estimate,
  ],
  [
    "path_resent_total",
    "counter",
    "Packets the path carried that had left before, by why.",
    ({ resent }) => [
      [{ why: "retransmission" }, resent.retransmissions],
      [{ why: "reinjection" }, resent.reinjections],
      [{ why: "duplicate" }, resent.duplicates],
    ],
  ],
  ["path_key_age_seconds", "gauge", "Age of the keys in use.", (path) => seconds(path.keys.age)],
  ["path_key_rekeys_total", "counter", "How often the keys were renewed.", (path) => path.keys.rekeys],
  [
    "path_limit_bytes_per_second",
    "gauge",
    "Configured limit of the path; 0 for none.",
    (path) => both(path.limits.in, path.limits.out),
  ],
  ["path_mtu_bytes", "gauge", "Largest datagram of the path.", (path) => path.mtu],
];

/** Names of all families, for what is built on them. */
export const METRIC_NAMES: readonly string[] = [...TUNNEL_FAMILIES, ...LINK_FAMILIES, ...PATH_FAMILIES].map(
  ([name]) => `netcombiner_${name}`,
);

/** All families with a sample, for one tunnel or several. */
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

function render<T>(families: readonly Family<T>[], subjects: readonly (readonly [Labels, T])[]): string[] {
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

/** A path and the one that replaces it may have the same name for a while, but a series is there once: the one that is up, or the newest. */
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
