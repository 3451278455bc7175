/**
 * Keeps every link alive: starts attempts, passes exchange messages on, puts paths into use and removes those that have ended.
 * Cold code: it runs when links change, not when packets pass.
 */
import { type Micros, NEVER } from "../../clock.ts";
import { DROP } from "../../drops.ts";
import { type Endpoint, formatEndpoint } from "../../endpoint.ts";
import type { Path } from "../../path/path.ts";
import { CLOSE_REASON, writeClose } from "../../wire/close.ts";
import { TYPE } from "../../wire/datagram.ts";
import type { PortalContext } from "../context.ts";
import { sendDirectly } from "../direct-send.ts";
import type { LinkCommand, LinkSettings } from "../settings.ts";
import { Admission } from "./admission.ts";
import { Initiator } from "./initiator.ts";
import { Link } from "./link.ts";
import { LinkSockets } from "./link-sockets.ts";
import { type Deliveries, PathFactory } from "./path-factory.ts";
import { PeerRuns } from "./peer-runs.ts";
import { reportRefusal } from "./refusals.ts";
import { Rekeying } from "./rekeying.ts";

export class Links {
  readonly #context: PortalContext;
  readonly #links = new Map<number, Link>();
  readonly #sockets: LinkSockets;
  readonly #runs: PeerRuns;
  readonly rekeying: Rekeying;
  readonly #factory: PathFactory;
  readonly #initiator: Initiator;
  readonly #admission: Admission;
  readonly #deliveries: Deliveries;
  /** Called when the peer has started again: the sequences of flows begin at 0. */
  readonly #onNewPeer: (now: Micros) => void;
  #isClosing = false;

  constructor(context: PortalContext, deliveries: Deliveries, onNewPeer: (now: Micros) => void) {
    this.#context = context;
    this.#deliveries = deliveries;
    this.rekeying = new Rekeying(context.settings.keyLimits);
    this.#factory = new PathFactory(context, this.rekeying, deliveries);
    this.#onNewPeer = onNewPeer;
    this.#sockets = new LinkSockets(context);
    this.#runs = new PeerRuns((run) => context.paths.list.some((path) => path.isUp && path.settings.run === run));
    this.#admission = new Admission(context, this.#factory, this.#runs);
    this.#initiator = new Initiator(context, this.#factory, this.#runs, {
      onPath: (now, path) => this.#install(now, path),
      onFailed: (now, link, reason) => this.#failAttempt(now, link, reason),
    });
  }

  get all(): Iterable<Link> {
    return this.#links.values();
  }

  add(now: Micros, settings: LinkSettings): void {
    this.#links.set(settings.id, new Link(now, settings, this.#context.random));
  }

  remove(now: Micros, id: number): void {
    const link = this.#links.get(id);
    if (!link) return;
    this.#endLink(now, link, "link removed");
    this.#links.delete(id);
  }

  /** Carries out a person's command for a running link. */
  change(now: Micros, id: number, change: LinkCommand): void {
    const link = this.#links.get(id);
    if (!link) return;
    if (change.action === "metric") return this.#changeMetric(now, link, change.metric);
    if (change.action === "down" && !link.isHeld) {
      link.isHeld = true;
      this.#endLink(now, link, "taken down by hand");
      this.#log("info", link.settings.name, link.reason);
    } else if (change.action === "up" && (link.isHeld || link.state === "waiting")) {
      link.isHeld = false;
      link.failures = 0;
      link.retryNow(now, "taken up by hand");
    }
  }

  /** Applies the metric at this end at once, and has `handleTimeout` announce it to the peer. */
  #changeMetric(now: Micros, link: Link, metric: number | "default"): void {
    link.setMetric(metric);
    for (const path of this.#context.paths.list) {
      if (path.link === link.settings.id) path.ownMetric = link.settings.metric ?? path.settings.metric;
    }
    this.#log("info", link.settings.name, link.byHand || `metric ${link.settings.metric ?? "the peer's"}`);
    link.deadline = Math.min(link.deadline, link.state === "up" ? now : NEVER);
    this.#context.paths.updateActiveMetric();
  }

  /** Ends a link: sends CLOSE on its paths, removes them and closes its sockets. */
  #endLink(now: Micros, link: Link, reason: string): void {
    const { id } = link.settings;
    this.#abandon(link);
    link.stopped(now, reason);
    for (const path of this.#context.paths.list.filter((p) => p.link === id)) {
      this.#sayClose(now, path, CLOSE_REASON.REMOVED);
      this.#dropPath(now, path, reason);
    }
    for (const socket of this.#sockets.of(id)) this.#closeSocket(socket);
  }

  /** Ends all links and sends CLOSE on every path. */
  close(now: Micros): void {
    this.#isClosing = true;
    for (const path of this.#context.paths.list) this.#sayClose(now, path, CLOSE_REASON.SHUTDOWN);
    for (const link of this.#links.values()) link.stopped(now, "shutting down");
  }

  handleOpened(now: Micros, id: number, attempt: number, socket: number, remote: Endpoint, local: Endpoint): void {
    const link = this.#links.get(id);
    if (!link || link.attempt !== attempt || link.state !== "resolving") {
      this.#context.events.push({ type: "close", socket });
      return;
    }
    const isConnected = link.settings.method === "TCP" && link.isInitiator;
    this.#sockets.add(socket, id, isConnected);
    link.opened(now, socket, remote, local);
    if (link.isInitiator) this.#initiator.initiate(now, link);
  }

  handleFailed(now: Micros, id: number, attempt: number, reason: string): void {
    const link = this.#links.get(id);
    if (!link || link.attempt !== attempt || !link.isTrying) return;
    this.#failAttempt(now, link, reason);
  }

  /** Adds a socket to a listening link: an accepted TCP connection, or one for the other IP version. */
  addSocket(now: Micros, id: number, socket: number, peer: Endpoint | undefined): void {
    const link = this.#links.get(id);
    if (!link) this.#context.events.push({ type: "close", socket });
    else if (!peer) this.#sockets.add(socket, id, false);
    else {
      const evicted = this.#sockets.addAccepted(now, socket, id, peer);
      if (evicted !== undefined) this.#evict(now, link, evicted, peer);
    }
  }

  /** Closes an accepted connection without a path for a newer one. */
  #evict(now: Micros, link: Link, socket: number, peer: Endpoint): void {
    this.#context.drops.count(DROP["connection-evicted"]);
    const text = `${formatEndpoint(peer)}: too many TCP connections without a path; the oldest is closed for each new one`;
    link.refused = { refusal: "connections", text, at: now };
    this.#log("warn", link.settings.name, text, "connections");
    this.#closeSocket(socket);
  }

  handleSocketClosed(now: Micros, socket: number, reason: string): void {
    const facts = this.#sockets.remove(socket);
    if (!facts) return;
    for (const path of this.#context.paths.list.filter((p) => p.socket === socket)) this.#losePath(now, path, reason);
    const link = this.#links.get(facts.link);
    if (link?.socket !== socket) return;
    link.socket = -1;
    if (link.isTrying || link.state === "listening") this.#failAttempt(now, link, reason);
  }

  handleExchange(
    now: Micros,
    socket: number,
    message: Uint8Array,
    type: number,
    remote: Endpoint,
    local: Endpoint,
  ): void {
    const facts = this.#sockets.get(socket);
    const link = facts && this.#links.get(facts.link);
    if (!link || this.#isClosing) return this.#context.drops.count(DROP["exchange-unexpected"]);
    const { isConnected } = facts;
    if (type === TYPE.EXCHANGE_RESPONSE) {
      return this.#initiator.complete(now, link, socket, isConnected, message, remote);
    }
    if (type === TYPE.EXCHANGE_COOKIE) return this.#initiator.takeCookie(now, link, socket, message);
    if (link.isInitiator) return this.#context.drops.count(DROP["exchange-unexpected"]);
    const arrival = { link, socket, isConnected, remote, local };
    const rejection = this.#admission.answer(now, arrival, message);
    if (!rejection || rejection.refusal === "limited") this.#sockets.noteInitiation(socket);
    if (rejection) reportRefusal(this.#context, now, link, rejection, remote);
  }

  /** Puts a path into use that the peer initiated, at its first authentic datagram. */
  handleConfirmed(now: Micros, path: Path): void {
    path.liveness.onConfirmed(now);
    path.isProbeWanted = true;
    this.#admission.confirmed(path);
    if (this.#runs.isFormer(path.settings.run)) this.#dropPath(now, path, "of a former run of the peer");
    else this.#install(now, path);
  }

  handleClosed(now: Micros, path: Path, reason: number): void {
    this.#losePath(now, path, reason === CLOSE_REASON.SHUTDOWN ? "peer shut down" : "closed by the peer");
  }

  /** Ends a path whose peer acknowledges what it has not received, as it would have this end send too fast. */
  handleDeceived(now: Micros, path: Path): void {
    this.#losePath(now, path, "the peer acknowledged a packet number that was left out");
  }

  /** Follows a change of a path's state by time. */
  handlePathState(now: Micros, path: Path): void {
    this.#log("info", path.settings.name, `${path.state}: ${path.liveness.reason}`);
    if (path.state === "down") this.#losePath(now, path, path.liveness.reason);
    else this.#context.paths.updateActiveMetric();
  }

  /** Drops the attempt made beside a suspect path that answers again. */
  handleAnswered(now: Micros, path: Path): void {
    this.#log("info", path.settings.name, `up: ${path.liveness.reason}`);
    const link = this.#links.get(path.link);
    if (link?.isInitiator) {
      this.#abandon(link);
      link.resumed(now);
    }
    this.#context.paths.updateActiveMetric();
  }

  handleTimeout(now: Micros): void {
    this.#admission.handleTimeout(now);
    if (this.#isClosing) return;
    for (const socket of this.#sockets.takeIdle(now)) this.#closeSocket(socket);
    for (const path of [...this.#context.paths.list]) {
      if (this.rekeying.handleTimeout(now, path)) this.#losePath(now, path, "its keys expired before a rekey was done");
      else this.#reviveBeside(now, path);
    }
    for (const link of this.#links.values()) if (now >= link.deadline) this.#act(now, link);
  }

  deadline(): Micros {
    let at = Math.min(this.#admission.deadline(), this.#sockets.deadline());
    for (const link of this.#links.values()) at = Math.min(at, link.deadline);
    for (const path of this.#context.paths.list) {
      if (path.state === "suspect" && this.#links.get(path.link)?.state === "up") {
        at = Math.min(at, path.liveness.reviveAt);
      }
      at = Math.min(at, this.rekeying.deadline(path));
    }
    return at;
  }

  /** Begins an attempt beside a path that stays suspect: its address may have changed, or the peer lost its keys. */
  #reviveBeside(now: Micros, path: Path): void {
    if (now < path.liveness.reviveAt) return;
    const link = this.#links.get(path.link);
    if (link?.isInitiator && link.state === "up") link.retryNow(now, `path suspect: ${path.liveness.reason}`);
  }

  #act(now: Micros, link: Link): void {
    if (link.state === "waiting") {
      link.begin(now);
      this.#context.events.push({ type: "open", link: link.settings.id, attempt: link.attempt });
    } else if (link.state === "resolving") this.#failAttempt(now, link, "could not open in time");
    else if (link.state === "up") this.#initiator.announce(now, link);
    else if (link.state === "exchanging" && link.takeResend(now)) this.#initiator.send(link);
    else this.#failAttempt(now, link, "no answer from the peer");
  }

  /** Puts a path into use in place of an older one of the same link and of those of the peer's former runs. */
  #install(now: Micros, path: Path): void {
    const { settings } = path;
    const isNewRun = this.#runs.use(settings.run);
    for (const other of [...this.#context.paths.list]) {
      if (other === path || other.state === "exchanging") continue;
      const isSameLink = other.link === path.link && other.settings.peerLink === settings.peerLink;
      if (other.settings.run !== settings.run) {
        // The former run may have delivered what it did not acknowledge, and the new one would not know.
        other.abandon(now, this.#deliveries.discards);
        this.#losePath(now, other, "peer restarted");
      } else if (isSameLink) this.#dropPath(now, other, "replaced");
    }
    if (isNewRun) this.#onNewPeer(now);
    this.#log("info", settings.name, `up: ${formatEndpoint(path.remote)}`);
    this.#context.paths.updateActiveMetric();
  }

  /** Sends CLOSE, so that the peer need not wait for a timeout. @param reason one of `CLOSE_REASON` */
  #sayClose(now: Micros, path: Path, reason: number): void {
    if (path.state === "exchanging") return;
    sendDirectly(this.#context, now, path, ({ view }, at) => writeClose(view, at, reason));
  }

  /** Removes a path that ended; an initiating link tries again at once, and waits if that fails. */
  #losePath(now: Micros, path: Path, reason: string): void {
    this.#dropPath(now, path, reason);
    const link = this.#links.get(path.link);
    if (link?.isInitiator && link.state === "up") link.retryNow(now, reason);
  }

  #dropPath(now: Micros, path: Path, reason: string): void {
    if (path.state !== "down") this.#log("info", path.settings.name, `down: ${reason}`);
    path.liveness.close(now, reason);
    this.#factory.remove(path);
    path.abandon(now);
    this.#admission.forget(path);
    const isShared = this.#context.paths.list.some((other) => other.socket === path.socket);
    const link = this.#links.get(path.link);
    const owned = this.#sockets.get(path.socket);
    if (
      !isShared &&
      owned &&
      (link?.isInitiator || owned.isConnected) &&
      !(link?.isTrying && link.socket === path.socket)
    ) {
      this.#closeSocket(path.socket);
    }
    this.#context.paths.updateActiveMetric();
  }

  #failAttempt(now: Micros, link: Link, reason: string): void {
    this.#log(link.failures === 0 ? "warn" : "debug", link.settings.name, reason);
    this.#abandon(link);
    link.failed(now, reason);
  }

  /** Releases the index and the socket of an unfinished attempt. */
  #abandon(link: Link): void {
    if (link.index !== 0) this.#context.paths.cancel(link.index);
    link.index = 0;
    const isUsed = this.#context.paths.list.some((path) => path.socket === link.socket);
    if (link.socket >= 0 && link.isTrying && !isUsed) this.#closeSocket(link.socket);
  }

  #closeSocket(socket: number): void {
    if (!this.#sockets.remove(socket)) return;
    this.#context.events.push({ type: "close", socket });
    for (const link of this.#links.values()) if (link.socket === socket) link.socket = -1;
  }

  /** @param topic messages on one topic count together when their rate is limited */
  #log(level: "warn" | "info" | "debug", name: string, text: string, topic = text.slice(0, 12)): void {
    this.#context.events.push({ type: "log", level, key: `${name} ${topic}`, text: `${name}: ${text}` });
  }
}
