/** The text of `show`: one block for the tunnel and one for each link, its paths nested, in the layout of wg(8). */
import { MICROS_PER_SECOND } from "../clock.ts";
import type { TunnelReport } from "../daemon/control-client.ts";
import type { LinkSnapshot, PathSnapshot, Traffic, TunnelSnapshot } from "../portal/snapshot.ts";
import type { Colours } from "./colour.ts";
import { formatAge, formatBytes, formatMillis, formatRate, formatSeconds, formatShare } from "./units.ts";

export function renderReport(report: TunnelReport, c: Colours): string {
  return [renderTunnel(report, c), ...report.snapshot.links.map((link) => renderLink(link, c))].join("\n\n");
}

function renderTunnel({ interface: name, version, pid, uptime, snapshot }: TunnelReport, c: Colours): string {
  return [
    `${c.bold(c.green("interface"))}: ${c.green(name)}`,
    line(c, 1, "running", `${formatSeconds(uptime)}, pid ${pid}, version ${version}`),
    line(c, 1, "security", snapshot.security, ["mtu", snapshot.mtu]),
    line(c, 1, "transfer", transfer(snapshot.inbound, snapshot.outbound)),
    line(c, 1, "queue", `${packets(snapshot.queue)}`, [
      "slots",
      `${snapshot.slots.free} of ${snapshot.slots.total} free`,
    ]),
    ...mended(snapshot, c),
    ...drops(snapshot, c),
  ].join("\n");
}

/** What was done about losses and about order; nothing where nothing was. */
function mended({ repair, order }: TunnelSnapshot, c: Colours): string[] {
  const lines: string[] = [];
  if (repair.repaired + repair.copied + repair.givenUp > 0) {
    lines.push(line(c, 1, "repaired", `${repair.repaired}, copied ${repair.copied}, given up ${repair.givenUp}`));
  }
  if (order.heldTotal > 0) {
    const text = `${order.heldTotal} for at most ${formatMillis(order.hold)}, now ${order.held}`;
    lines.push(line(c, 1, "held for order", `${text}, in vain ${order.expired}, late ${order.late}`));
  }
  return lines;
}

function drops(snapshot: TunnelSnapshot, c: Colours): string[] {
  const reasons = Object.entries(snapshot.drops).filter(([, count]) => count > 0);
  return reasons.length === 0
    ? []
    : [line(c, 1, "dropped", reasons.map(([name, count]) => `${name} ${count}`).join(", "))];
}

function renderLink(link: LinkSnapshot, c: Colours): string {
  const retry = link.retryIn > 0 ? `, next attempt in ${(link.retryIn / MICROS_PER_SECOND).toFixed(1)} s` : "";
  const failures = link.failures > 0 ? `, ${link.failures} failed ${link.failures === 1 ? "attempt" : "attempts"}` : "";
  return [
    `${c.bold(c.yellow("link"))}: ${c.yellow(link.name)}  (${link.method}, ${ROLES[link.role]})`,
    line(c, 1, "state", `${stateText(link, c)}${failures}${retry}`),
    ...(link.byHand === "" ? [] : [line(c, 1, "changed by hand", link.byHand)]),
    ...link.paths.flatMap((path) => renderPath(path, c)),
  ].join("\n");
}

const ROLES = { initiate: "initiates", listen: "listens" } as const;

/** "up for 3 minutes", "waiting for 2 seconds: eth1 has no address". */
function stateText(of: { readonly state: string; readonly age: number; readonly reason: string }, c: Colours): string {
  const isGood = of.state === "up" || of.state === "listening";
  const reason = of.reason === "" || of.state === "up" ? "" : `: ${of.reason}`;
  return `${isGood ? c.green(of.state) : c.red(of.state)} for ${formatAge(of.age)}${reason}`;
}

function renderPath(path: PathSnapshot, c: Colours): string[] {
  const role = path.state !== "up" ? "" : path.standby ? ", standby" : ", carrying";
  const paced = path.pacingRate > 0 ? `, paced at ${formatRate(path.pacingRate)}` : "";
  return [
    line(c, 1, "path", `${path.local} -> ${path.remote}${peerName(path)}`),
    line(c, 2, "state", `${stateText(path, c)}${role}`, ["metric", path.metric]),
    line(c, 2, "rtt", roundTrip(path)),
    line(c, 2, "rate", `${formatRate(path.rate.sent)} sent, ${formatRate(path.rate.received)} received${paced}`),
    line(c, 2, "loss", `${formatShare(path.loss)} now, ${path.lost} datagrams of ${path.sent.packets} in all`),
    line(c, 2, "in flight", `${formatBytes(path.inFlight)} of ${formatBytes(path.window)}`, [
      "congestion",
      path.congestion,
    ]),
    line(c, 2, "transfer", transfer(path.received, path.sent), ["mtu", path.mtu]),
  ];
}

/** What the peer calls its link, where a listener has several paths. */
function peerName({ name }: PathSnapshot): string {
  const [, own] = name.split("/");
  return own === undefined ? "" : ` (${own})`;
}

function roundTrip({ rtt }: PathSnapshot): string {
  if (rtt.smoothed === 0) return "not measured yet";
  const rest = `min ${formatMillis(rtt.min)}, latest ${formatMillis(rtt.latest)}, deviation ${formatMillis(rtt.deviation)}`;
  return `${formatMillis(rtt.smoothed)} (${rest})`;
}

function transfer(received: Traffic, sent: Traffic): string {
  return `${formatBytes(received.bytes)} received, ${formatBytes(sent.bytes)} sent`;
}

function packets(traffic: Traffic): string {
  return `${traffic.packets} ${traffic.packets === 1 ? "packet" : "packets"}, ${formatBytes(traffic.bytes)}`;
}

/** "  name: value, name: value", the names bold. */
function line(
  c: Colours,
  depth: number,
  name: string,
  value: string | number,
  ...more: [string, string | number][]
): string {
  const pairs = [[name, value] as const, ...more].map(([key, text]) => `${c.bold(key)}: ${text}`);
  return `${"  ".repeat(depth)}${pairs.join(", ")}`;
}
