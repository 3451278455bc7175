/** Makes a snapshot of a portal. */
import { type Micros, NEVER } from "../../clock.ts";
import { formatEndpoint } from "../../endpoint.ts";
import type { Path } from "../../path/path.ts";
import type { FlowQueues } from "../../queue/flow-queues.ts";
import type { PortalContext } from "../context.ts";
import type { Link } from "../links/link.ts";
import type { Links } from "../links/links.ts";
import type { Inbound } from "../receiving/inbound.ts";
import type { Outbound } from "../sending/outbound.ts";
import type { PathRecord, PathRecords } from "../sending/path-records.ts";
import type { LinkSnapshot, PathSnapshot, TunnelSnapshot } from "../snapshot.ts";

export function reportTunnel(
  now: Micros,
  context: PortalContext,
  links: Links,
  outbound: Outbound,
  inbound: Inbound,
): TunnelSnapshot {
  const { settings, pool, queue, resequencer } = context;
  const { retransmissions } = outbound;
  return {
    security: settings.security,
    publicKey: context.publicKey?.toBase64() ?? "",
    peerKey: (context.publicKey && settings.peerKey?.toBase64()) ?? "",
    mtu: settings.mtu,
    outbound: { packets: outbound.packets, bytes: outbound.bytes },
    inbound: { packets: inbound.delivery.packets, bytes: inbound.delivery.bytes },
    queue: { packets: queue.length, bytes: queue.bytes },
    aqm: reportQueues(context.queue.perFlow),
    fragments: { sent: outbound.fragmenter.packets, waiting: inbound.reassembly.waiting },
    resent: {
      retransmitted: retransmissions.retransmitted,
      reinjected: retransmissions.reinjected,
      duplicated: outbound.duplicates.sent,
      abandoned: retransmissions.abandoned,
      waiting: retransmissions.length,
      received: inbound.redundant,
    },
    order: {
      held: resequencer.held,
      heldTotal: resequencer.heldTotal,
      expired: resequencer.expired,
      late: resequencer.late,
      hold: resequencer.hold,
    },
    slots: { total: pool.count, free: pool.free },
    drops: context.drops.snapshot(),
    links: Array.from(links.all, (link) => reportLink(now, context, link, outbound.records)),
    sockets: [],
    loop: undefined,
  };
}

function reportQueues(queues: FlowQueues | undefined): TunnelSnapshot["aqm"] {
  if (!queues) return { sparse: 0, bulk: 0, marked: 0, dropped: 0, shed: 0 };
  const { flows, marked, dropped, shed } = queues;
  return { ...flows, marked, dropped, shed };
}

function reportLink(now: Micros, context: PortalContext, link: Link, records: PathRecords): LinkSnapshot {
  const { id, name, method, role } = link.settings;
  const paths = context.paths.list.filter((path) => path.link === id);
  return {
    id,
    name,
    method,
    role,
    byHand: link.byHand,
    state: link.state,
    refused: link.refused && { text: link.refused.text, age: now - link.refused.at },
    reason: link.reason,
    age: now - link.since,
    failures: link.failures,
    ups: link.ups,
    retryIn: link.retryIn(now),
    paths: paths.map((path) => reportPath(now, path, records.of(path), context.paths.activeMetric)),
  };
}

function reportPath(now: Micros, path: Path, record: PathRecord, activeMetric: number): PathSnapshot {
  const { rtt, controller, liveness } = path;
  const { retransmissions, reinjections, duplicates, paddingBytes } = record;
  return {
    id: path.id,
    name: path.settings.name,
    keys: { suite: path.settings.suite, age: now - path.keys.since, rekeys: path.keys.epoch },
    state: path.state,
    reason: liveness.reason,
    age: now - liveness.since,
    local: formatEndpoint(path.local),
    remote: formatEndpoint(path.remote),
    metric: path.ownMetric,
    standby: path.isUp && path.metric !== activeMetric,
    congestion: controller.name,
    control: { mode: controller.mode, estimate: finite(path.estimate), randomLoss: controller.randomLoss },
    rtt: { smoothed: Math.round(rtt.measured), min: rtt.min, latest: rtt.latest, deviation: Math.round(rtt.deviation) },
    window: finite(controller.window),
    inFlight: path.sent.bytesInFlight,
    pacingRate: finite(controller.pacingRate),
    rate: { sent: Math.round(path.sentRate.read(now)), received: Math.round(path.receivedRate.read(now)) },
    sent: { packets: path.sentPackets, bytes: path.sentBytes },
    received: { packets: path.received.packets, bytes: path.received.bytes },
    lost: path.recovery.lostPackets,
    resent: { retransmissions, reinjections, duplicates },
    padding: paddingBytes,
    loss: path.recovery.lossShare(now),
    missing: path.received.missing,
    mtu: path.mtu,
    mtuState: path.pathMtu.state,
    limits: { metered: path.limits.isMetered, out: finite(path.limits.rate), in: finite(path.limits.own.in) },
  };
}

/** Returns `value` rounded, 0 for infinity, which JSON does not have. */
function finite(value: number): number {
  return value === NEVER ? 0 : Math.round(value);
}
