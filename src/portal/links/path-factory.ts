/** Makes a path out of an agreement, with the controller and the limits that its link's settings name. */
import type { Micros } from "../../clock.ts";
import type { CongestionController } from "../../congestion/controller.ts";
import { NewReno } from "../../congestion/new-reno.ts";
import { NoCongestionControl } from "../../congestion/none.ts";
import { RateController } from "../../congestion/rate.ts";
import { type Endpoint, familyOf } from "../../endpoint.ts";
import type { Agreement } from "../../exchange/exchange.ts";
import { NO_LIMITS } from "../../path/limits.ts";
import type { PathState } from "../../path/liveness.ts";
import type { DeliveryListener } from "../../path/loss.ts";
import type { MtuLimits } from "../../path/mtu.ts";
import { Path } from "../../path/path.ts";
import { DATA_SIZE } from "../../wire/data.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import type { PortalContext } from "../context.ts";
import type { CongestionName, LinkSettings } from "../settings.ts";
import type { Link } from "./link.ts";
import type { Rekeying } from "./rekeying.ts";

/** Ethernet's payload, bytes: assumed of a path unless its link's settings say otherwise. */
const ETHERNET = 1_500;
/** The largest payload of UDP over IPv4, bytes. */
const LONGEST = 65_507;

export interface PathFacts {
  readonly link: Link;
  readonly agreement: Agreement;
  readonly index: number;
  readonly socket: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly state: PathState;
  readonly isConnected: boolean;
  /** The peer's name for the link; the link's own name by default. */
  readonly name?: string;
  readonly metric?: number;
}

/** Takes the packets kept for retransmission when their datagrams are settled. */
export interface Deliveries extends DeliveryListener {
  /** Takes them when they must not be sent again. */
  readonly discards: DeliveryListener;
}

export class PathFactory {
  readonly #context: PortalContext;
  readonly #rekeying: Rekeying;
  readonly #deliveries: DeliveryListener;

  /** @param deliveries takes the packets kept for retransmission when their datagram is settled */
  constructor(context: PortalContext, rekeying: Rekeying, deliveries: DeliveryListener) {
    this.#context = context;
    this.#rekeying = rekeying;
    this.#deliveries = deliveries;
  }

  /** Makes a path and adds it to the portal. */
  create(now: Micros, facts: PathFacts): Path {
    const path = makePath(this.#context, now, facts, this.#deliveries);
    this.#rekeying.add(path, facts.agreement.session);
    this.#context.paths.add(path);
    return path;
  }

  /** Removes a path that has ended from the portal. */
  remove(path: Path): void {
    this.#context.paths.remove(path);
    this.#rekeying.remove(path);
    path.keys.wipe();
  }
}

function makePath(context: PortalContext, now: Micros, facts: PathFacts, deliveries: DeliveryListener): Path {
  const { settings } = facts.link;
  const { peer } = facts.agreement;
  const mtu = mtuLimits(context, settings, facts.remote);
  return new Path(now, {
    id: facts.index & 0xff,
    index: facts.index,
    peerIndex: peer.index,
    link: settings.id,
    peerLink: peer.link,
    run: facts.agreement.run,
    name: facts.name && facts.name !== settings.name ? `${settings.name}/${facts.name}` : settings.name,
    // A metric set at this end counts; otherwise the initiator's does.
    metric: facts.metric ?? settings.metric ?? peer.metric,
    socket: facts.socket,
    remote: facts.remote,
    local: facts.local,
    security: facts.agreement.security,
    lossDetection: settings.congestion === "newreno" ? "nack" : "gap",
    deliveries,
    delayOrigin: context.delayOrigin,
    controller: createController(settings.congestion, mtu.ceiling),
    mtu,
    state: facts.state,
    timeout: settings.timeout,
    keepAlive: settings.keepAlive,
    limits: settings.limits ?? NO_LIMITS,
    headers: headersOf(settings, facts.remote),
    isPinned: facts.isConnected || settings.publicAddress !== undefined,
    isInitiator: facts.link.isInitiator,
    suite: facts.agreement.suite,
    random: context.random,
  });
}

function createController(name: CongestionName, mtu: number): CongestionController {
  if (name === "rate") return new RateController(mtu);
  return name === "newreno" ? new NewReno(mtu) : new NoCongestionControl();
}

/** Returns the largest datagram worth trying on a link: the configured one, or the larger of Ethernet's payload and what the tunnel's packets need. */
function mtuLimits(context: PortalContext, settings: LinkSettings, remote: Endpoint): MtuLimits {
  const full = Math.min(LONGEST, context.settings.mtu + DATA_SIZE + HEADER_SIZE + context.overhead);
  const ceiling = settings.mtu > 0 ? settings.mtu : Math.max(ETHERNET - headersOf(settings, remote), full);
  return { ceiling, full: Math.min(full, ceiling), isFixed: settings.method === "TCP" };
}

/** Returns the bytes that IP and the transport put in front of a datagram; for TCP, whose segments do not match datagrams, those of UDP. */
function headersOf(settings: LinkSettings, remote: Endpoint): number {
  return (familyOf(remote) === 6 ? 40 : 20) + (settings.method === "IP" ? 0 : 8);
}
