/** The asking side of an exchange: sends a link's initiations and makes a path of the peer's response. */
import { type Micros, NEVER } from "../../clock.ts";
import { DROP } from "../../drops.ts";
import type { Endpoint } from "../../endpoint.ts";
import { type Agreement, isRefused } from "../../exchange/exchange.ts";
import type { Path } from "../../path/path.ts";
import type { PortalContext } from "../context.ts";
import { agreesWith, introduce } from "./introduction.ts";
import type { Link } from "./link.ts";
import type { PathFactory } from "./path-factory.ts";
import type { PeerRuns } from "./peer-runs.ts";
import { reportRefusal } from "./refusals.ts";

/** Receives the outcome of an attempt. */
export interface AttemptEvents {
  onPath(now: Micros, path: Path): void;
  onFailed(now: Micros, link: Link, reason: string): void;
}

export class Initiator {
  readonly #context: PortalContext;
  readonly #factory: PathFactory;
  readonly #runs: PeerRuns;
  readonly #events: AttemptEvents;

  constructor(context: PortalContext, factory: PathFactory, runs: PeerRuns, events: AttemptEvents) {
    this.#context = context;
    this.#factory = factory;
    this.#runs = runs;
    this.#events = events;
  }

  /** Sends the first initiation of the attempt whose socket is open. */
  initiate(now: Micros, link: Link): void {
    const index = this.#context.paths.reserve();
    if (index === 0) return this.#events.onFailed(now, link, "too many paths");
    const metric = link.settings.metric ?? 0;
    link.index = index;
    link.announcedMetric = metric;
    link.initiation?.wipe();
    link.initiation = this.#context.exchange.initiate(now, introduce(link.settings, index, metric, link.remote));
    link.takeResend(now);
    this.send(link);
  }

  /** Sends the initiation, for the first time or again. */
  send(link: Link): void {
    if (!link.initiation) return;
    const { message } = link.initiation;
    this.#context.events.push({ type: "send", socket: link.socket, remote: link.remote, local: link.local, message });
  }

  /** Tells the peer another metric by an exchange over the socket of the path, which the new path then replaces. */
  announce(now: Micros, link: Link): void {
    link.deadline = NEVER;
    const { id, metric } = link.settings;
    const path = this.#context.paths.list.find((candidate) => candidate.link === id && candidate.isUp);
    if (!path || metric === undefined || path.settings.metric === metric) return;
    link.reintroduce(now, path.socket, path.remote, path.local);
    this.initiate(now, link);
  }

  /** Reads a response that arrived on `socket` from `remote`. */
  complete(now: Micros, link: Link, socket: number, isConnected: boolean, message: Uint8Array, remote: Endpoint): void {
    if (!link.initiation || link.socket !== socket) return this.#context.drops.count(DROP["exchange-unexpected"]);
    const agreement = link.initiation.complete(message);
    const { publicAddress } = link.settings;
    if (isRefused(agreement)) {
      // This refusal is authenticated: no other answer will come.
      if (agreement.refusal === "security") this.#events.onFailed(now, link, "the peer's Security is another");
      return reportRefusal(this.#context, now, link, agreement, remote);
    }
    if (!agreesWith(publicAddress, agreement.peer.addresses, remote))
      return reportRefusal(this.#context, now, link, { refusal: "addresses" }, remote);
    if (this.#runs.isFormer(agreement.run))
      return this.#events.onFailed(now, link, "answer of a former run of the peer");
    this.#adopt(now, link, isConnected, agreement);
  }

  /** Reads a cookie: the listener is under load and demands proof that this end receives at its address. */
  takeCookie(now: Micros, link: Link, socket: number, message: Uint8Array): void {
    if (link.socket !== socket || !link.initiation?.takeCookie(now, message)) {
      return this.#context.drops.count(DROP["exchange-unexpected"]);
    }
    this.send(link);
  }

  #adopt(now: Micros, link: Link, isConnected: boolean, agreement: Agreement): void {
    const path = this.#factory.create(now, {
      link,
      agreement,
      index: link.index,
      socket: link.socket,
      remote: link.remote,
      local: link.local,
      state: "up",
      isConnected,
      metric: link.settings.metric === undefined ? agreement.peer.metric : link.announcedMetric,
    });
    path.ownMetric = link.settings.metric ?? path.ownMetric;
    link.succeeded(now);
    link.index = 0;
    path.isProbeWanted = true;
    this.#events.onPath(now, path);
  }
}
