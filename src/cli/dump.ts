/**
 * Renders `show nc0 dump` and `show nc0 FIELD` for scripts: values separated by tabs, one line for the interface, each link and each path.
 * Columns are only ever appended, and docs/operating.md names them. Times are microseconds, rates bytes per second, shares 0 to 1.
 */
import { shareLost, shareMissing } from "../monitor/derived.ts";
import { findings } from "../monitor/health.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import type { LinkSnapshot, PathSnapshot } from "../portal/snapshot.ts";

type Value = string | number | boolean;
type Column<T> = readonly [name: string, read: (of: T) => Value];

export const INTERFACE_COLUMNS: readonly Column<TunnelReport>[] = [
  ["interface", (report) => report.interface],
  ["version", (report) => report.version],
  ["pid", (report) => report.pid],
  ["uptime", (report) => report.uptime],
  ["security", ({ snapshot }) => snapshot.security],
  ["mtu", ({ snapshot }) => snapshot.mtu],
  ["rx-packets", ({ snapshot }) => snapshot.inbound.packets],
  ["rx-bytes", ({ snapshot }) => snapshot.inbound.bytes],
  ["tx-packets", ({ snapshot }) => snapshot.outbound.packets],
  ["tx-bytes", ({ snapshot }) => snapshot.outbound.bytes],
  ["queue-packets", ({ snapshot }) => snapshot.queue.packets],
  ["queue-bytes", ({ snapshot }) => snapshot.queue.bytes],
  ["retransmitted", ({ snapshot }) => snapshot.resent.retransmitted],
  ["reinjected", ({ snapshot }) => snapshot.resent.reinjected],
  ["abandoned", ({ snapshot }) => snapshot.resent.abandoned],
  ["held", ({ snapshot }) => snapshot.order.heldTotal],
  ["late", ({ snapshot }) => snapshot.order.late],
  ["slots-free", ({ snapshot }) => snapshot.slots.free],
  ["slots-total", ({ snapshot }) => snapshot.slots.total],
  ["dropped", ({ snapshot }) => Object.values(snapshot.drops).reduce((sum, count) => sum + count, 0)],
  ["sparse-flows", ({ snapshot }) => snapshot.aqm.sparse],
  ["bulk-flows", ({ snapshot }) => snapshot.aqm.bulk],
  ["aqm-marked", ({ snapshot }) => snapshot.aqm.marked],
  ["aqm-dropped", ({ snapshot }) => snapshot.aqm.dropped],
  ["shed", ({ snapshot }) => snapshot.aqm.shed],
  ["duplicated", ({ snapshot }) => snapshot.resent.duplicated],
  ["redundant-received", ({ snapshot }) => snapshot.resent.received],
];

export const LINK_COLUMNS: readonly Column<LinkSnapshot>[] = [
  ["link", (link) => link.name],
  ["method", (link) => link.method],
  ["role", (link) => link.role],
  ["state", (link) => link.state],
  ["age", (link) => link.age],
  ["reason", (link) => link.reason],
  ["failures", (link) => link.failures],
  ["ups", (link) => link.ups],
  ["paths", (link) => link.paths.length],
];

export const PATH_COLUMNS: readonly Column<PathSnapshot>[] = [
  ["path", (path) => path.name],
  ["id", (path) => path.id],
  ["state", (path) => path.state],
  ["age", (path) => path.age],
  ["reason", (path) => path.reason],
  ["standby", (path) => path.standby],
  ["local", (path) => path.local],
  ["remote", (path) => path.remote],
  ["metric", (path) => path.metric],
  ["rtt", (path) => path.rtt.smoothed],
  ["rtt-min", (path) => path.rtt.min],
  ["rtt-latest", (path) => path.rtt.latest],
  ["rx-rate", (path) => path.rate.received],
  ["tx-rate", (path) => path.rate.sent],
  ["pacing-rate", (path) => path.pacingRate],
  ["rx-packets", (path) => path.received.packets],
  ["rx-bytes", (path) => path.received.bytes],
  ["tx-packets", (path) => path.sent.packets],
  ["tx-bytes", (path) => path.sent.bytes],
  ["tx-lost", (path) => path.lost],
  ["tx-loss", (path) => path.loss],
  ["rx-missing", (path) => path.missing],
  ["in-flight", (path) => path.inFlight],
  ["window", (path) => path.window],
  ["mtu", (path) => path.mtu],
  ["congestion", (path) => path.congestion],
  ["mode", (path) => path.control.mode],
  ["estimate", (path) => path.control.estimate],
  ["retransmissions", (path) => path.resent.retransmissions],
  ["reinjections", (path) => path.resent.reinjections],
  ["duplicates", (path) => path.resent.duplicates],
  ["limit-out", (path) => path.limits.out],
  ["limit-in", (path) => path.limits.in],
  ["metered", (path) => path.limits.metered],
  ["suite", (path) => path.keys.suite],
  ["padding", (path) => path.padding],
];

/** Returns everything: a line that begins with `interface`, then one for each link, followed by those of its paths. */
export function renderDump(report: TunnelReport): string {
  const links = report.snapshot.links.flatMap((link) => [
    row(["link", report.interface, ...values(LINK_COLUMNS, link)]),
    ...link.paths.map((path) => row(["path", report.interface, link.name, ...values(PATH_COLUMNS, path)])),
  ]);
  return [row(["interface", ...values(INTERFACE_COLUMNS, report)]), ...links].join("\n");
}

type Rows = (report: TunnelReport) => Value[][];

const eachPath =
  (read: (path: PathSnapshot) => Value[]): Rows =>
  ({ snapshot }) =>
    snapshot.links.flatMap((link) => link.paths.map((path) => [path.name, ...read(path)]));

const eachLink =
  (read: (link: LinkSnapshot) => Value[]): Rows =>
  ({ snapshot }) =>
    snapshot.links.map((link) => [link.name, ...read(link)]);

const FIELDS: Readonly<Record<string, Rows>> = {
  links: eachLink(() => []),
  state: eachLink((link) => [link.state, link.age, link.reason]),
  endpoints: eachPath((path) => [path.local, path.remote]),
  transfer: eachPath((path) => [path.received.bytes, path.sent.bytes]),
  rate: eachPath((path) => [path.rate.received, path.rate.sent]),
  rtt: eachPath((path) => [path.rtt.smoothed, path.rtt.min]),
  loss: eachPath((path) => [shareMissing(path), shareLost(path)]),
  metric: eachPath((path) => [path.metric, path.standby]),
  mtu: eachPath((path) => [path.mtu]),
  drops: ({ snapshot }) => Object.entries(snapshot.drops),
  health: (report) =>
    findings(report).map(({ severity, check, subject, text, advice }) => [severity, check, subject, text, advice]),
};

export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/**
 * Returns one field, a line for each link or path; undefined for an unknown field.
 * @param prefix values put before every line: the interface, where several are shown
 */
export function renderField(report: TunnelReport, field: string, prefix: readonly string[]): string | undefined {
  return FIELDS[field]?.(report)
    .map((found) => row([...prefix, ...found]))
    .join("\n");
}

function values<T>(columns: readonly Column<T>[], of: T): Value[] {
  return columns.map(([, read]) => read(of));
}

/** Joins values to a line, without separators inside them; an empty value stays a column. */
function row(found: readonly Value[]): string {
  return found.map((value) => String(value).replaceAll(/\s/g, " ")).join("\t");
}
