/**
 * Keeps every link alive: starts attempts, answers initiations, turns agreements into paths and clears away what has ended.
 * Cold code: it runs when links change, not when packets pass.
 */
import { type Micros, NEVER } from "../../clock.ts";
import { DROP } from "../../drops.ts";
import { type Endpoint, formatEndpoint } from "../../endpoint.ts";
import { type Agreement, type Introduction, isRefused } from "../../exchange/exchange.ts";
import type { Path } from "../../path/path.ts";
import { CLOSE_REASON } from "../../wire/close.ts";
import { TYPE } from "../../wire/datagram.ts";
import type { PortalContext } from "../context.ts";
import type { LinkChange, LinkSettings } from "../settings.ts";
import { Admission } from "./admission.ts";
import { agreesWith, claimAddresses } from "./claimed-addresses.ts";
import { sayGoodbye } from "./goodbye.ts";
import { Link } from "./link.ts";
import { type Deliveries, PathFactory } from "./path-factory.ts";
import { reportRefusal } from "./refusals.ts";
import { Rekeying } from "./rekeying.ts";

/** An accepted connection that carries no path by then is closed. */
const ACCEPTED_PATIENCE: Micros = 10_000_000;

interface Socket {
  readonly link: number;
  /** TCP: one peer, and the end of the connection is the end of the path. */
  readonly isConnected: boolean;
  /** When an accepted connection must have a path; `NEVER` for other sockets. */
  readonly deadline: Micros;
}

export class Links {
  readonly #context: PortalContext;
  readonly #links = new Map<number, Link>();
  readonly #sockets = new Map<number, Socket>();
  readonly rekeying: Rekeying;
  readonly #factory: PathFactory;
  readonly #admission: Admission;
  readonly #deliveries: Deliveries;
  /** Called when the peer turns out to be a new run: sequences begin anew. */
  readonly #onNewPeer: (now: Micros) => void;
  #isClosing = false;

  constructor(context: PortalContext, deliveries: Deliveries, onNewPeer: (now: Micros) => void) {
    this.#context = context;
    this.#deliveries = deliveries;
    this.rekeying = new Rekeying(context.settings.keyLimits);
    this.#factory = new PathFactory(context, this.rekeying, deliveries);
    this.#onNewPeer = onNewPeer;
    this.#admission = new Admission(context, this.#factory);
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

  /** What a person wants changed of a running link. */
  change(now: Micros, id: number, change: LinkChange): void {
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

  /** This end follows at once; the peer learns it from the exchange that `handleTimeout` then makes. */
  #changeMetric(now: Micros, link: Link, metric: number | "default"): void {
    link.setMetric(metric);
    for (const path of this.#context.paths.list) {
      if (path.link === link.settings.id) path.ownMetric = link.settings.metric ?? path.settings.metric;
    }
    this.#log("info", link.settings.name, link.byHand || `metric ${link.settings.metric ?? "the peer's"}`);
    link.deadline = Math.min(link.deadline, link.state === "up" ? now : NEVER);
    this.#context.paths.updateActiveMetric();
  }

  /** Ends all of a link: its paths tell the peer and go, its sockets are closed. */
  #endLink(now: Micros, link: Link, reason: string): void {
    const { id } = link.settings;
    this.#abandon(link);
    link.stopped(now, reason);
    for (const path of this.#context.paths.list.filter((p) => p.link === id)) {
      sayGoodbye(this.#context, now, path, CLOSE_REASON.REMOVED);
      this.#dropPath(now, path, reason);
    }
    for (const [socket, facts] of this.#sockets) if (facts.link === id) this.#closeSocket(socket);
  }

  /** All links end, and the peer is told. */
  close(now: Micros): void {
    this.#isClosing = true;
    for (const path of this.#context.paths.list) sayGoodbye(this.#context, now, path, CLOSE_REASON.SHUTDOWN);
    for (const link of this.#links.values()) link.stopped(now, "shutting down");
  }

  handleOpened(now: Micros, id: number, attempt: number, socket: number, remote: Endpoint, local: Endpoint): void {
    const link = this.#links.get(id);
    if (!link || link.attempt !== attempt || link.state !== "resolving") {
      this.#context.events.push({ type: "close", socket });
      return;
    }
    const isConnected = link.settings.method === "TCP" && link.isInitiator;
    this.#sockets.set(socket, { link: id, isConnected, deadline: NEVER });
    link.opened(now, socket, remote, local);
    if (link.isInitiator) this.#initiate(now, link);
  }

  handleFailed(now: Micros, id: number, attempt: number, reason: string): void {
    const link = this.#links.get(id);
    if (!link || link.attempt !== attempt || !link.isTrying) return;
    this.#failAttempt(now, link, reason);
  }

  /** A listening link has one more socket: an accepted TCP connection, or one for the other IP version. */
  addSocket(now: Micros, id: number, socket: number, isConnected: boolean): void {
    const deadline = isConnected ? now + ACCEPTED_PATIENCE : NEVER;
    if (this.#links.has(id)) this.#sockets.set(socket, { link: id, isConnected, deadline });
    else this.#context.events.push({ type: "close", socket });
  }

  handleSocketClosed(now: Micros, socket: number, reason: string): void {
    const facts = this.#sockets.get(socket);
    if (!facts) return;
    this.#sockets.delete(socket);
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
    if (type === TYPE.EXCHANGE_RESPONSE) return this.#complete(now, link, socket, message, remote);
    if (type === TYPE.EXCHANGE_COOKIE) return this.#takeCookie(now, link, socket, message);
    if (link.isInitiator) return this.#context.drops.count(DROP["exchange-unexpected"]);
    const arrival = { link, socket, isConnected: facts.isConnected, remote, local };
    const rejection = this.#admission.answer(now, arrival, message);
    if (rejection) reportRefusal(this.#context, now, link, rejection, remote);
  }

  /** The first authentic datagram of a path that the peer initiated. */
  handleConfirmed(now: Micros, path: Path): void {
    path.liveness.onConfirmed(now);
    path.isProbeWanted = true;
    this.#admission.confirmed(path);
    if (this.#admission.isFormer(path.settings.run)) this.#dropPath(now, path, "of a former run of the peer");
    else this.#install(now, path);
  }

  handleClosed(now: Micros, path: Path, reason: number): void {
    this.#losePath(now, path, reason === CLOSE_REASON.SHUTDOWN ? "peer shut down" : "closed by the peer");
  }

  /** A path's state changed by time. */
  handlePathState(now: Micros, path: Path): void {
    this.#log("info", path.settings.name, `${path.state}: ${path.liveness.reason}`);
    if (path.state === "down") this.#losePath(now, path, path.liveness.reason);
    else this.#context.paths.updateActiveMetric();
  }

  /** A suspect path answers again: an attempt made beside it is not needed. */
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
    for (const [socket, { deadline }] of this.#sockets) if (now >= deadline) this.#closeIdle(socket);
    for (const path of [...this.#context.paths.list]) {
      if (this.rekeying.handleTimeout(now, path)) this.#losePath(now, path, "its keys ran out and were not renewed");
      else this.#reviveBeside(now, path);
    }
    for (const link of this.#links.values()) if (now >= link.deadline) this.#act(now, link);
  }

  deadline(): Micros {
    let at = this.#admission.deadline();
    for (const link of this.#links.values()) at = Math.min(at, link.deadline);
    for (const { deadline } of this.#sockets.values()) at = Math.min(at, deadline);
    for (const path of this.#context.paths.list) {
      if (path.state === "suspect" && this.#links.get(path.link)?.state === "up") {
        at = Math.min(at, path.liveness.reviveAt);
      }
      at = Math.min(at, this.rekeying.deadline(path));
    }
    return at;
  }

  /** Closes an accepted connection that nobody uses; one with a path is looked at no more. */
  #closeIdle(socket: number): void {
    const facts = this.#sockets.get(socket);
    if (!facts) return;
    if (this.#context.paths.list.some((path) => path.socket === socket && path.state !== "exchanging")) {
      this.#sockets.set(socket, { ...facts, deadline: NEVER });
    } else this.#closeSocket(socket);
  }

  /** A path that stays suspect may have lost its address, or its peer its keys: try anew while it is still probed. */
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
    else if (link.state === "up") this.#announce(now, link);
    else if (link.state === "exchanging" && link.takeResend(now)) this.#sendInitiation(link);
    else this.#failAttempt(now, link, "no answer from the peer");
  }

  /** Tells the peer of another metric by an exchange over the socket of the path, which the new one then replaces. */
  #announce(now: Micros, link: Link): void {
    link.deadline = NEVER;
    const { id, metric } = link.settings;
    const path = this.#context.paths.list.find((candidate) => candidate.link === id && candidate.isUp);
    if (!path || metric === undefined || path.settings.metric === metric) return;
    link.reintroduce(now, path.socket, path.remote, path.local);
    this.#initiate(now, link);
  }

  #initiate(now: Micros, link: Link): void {
    const introduction = this.#introduction(link, link.remote);
    if (!introduction) return this.#failAttempt(now, link, "too many paths");
    link.index = introduction.index;
    link.announcedMetric = introduction.metric;
    link.initiation = this.#context.exchange.initiate(now, introduction);
    link.takeResend(now);
    this.#sendInitiation(link);
  }

  #sendInitiation(link: Link): void {
    if (!link.initiation) return;
    const { message } = link.initiation;
    this.#context.events.push({ type: "send", socket: link.socket, remote: link.remote, local: link.local, message });
  }

  #introduction(link: Link, remote: Endpoint): Introduction | undefined {
    const index = this.#context.paths.reserve();
    if (index === 0) return undefined;
    const { id, name, metric, publicAddress } = link.settings;
    return { index, link: id, metric: metric ?? 0, name, addresses: claimAddresses(publicAddress, remote) };
  }

  #complete(now: Micros, link: Link, socket: number, message: Uint8Array, remote: Endpoint): void {
    if (!link.initiation || link.socket !== socket) return this.#context.drops.count(DROP["exchange-unexpected"]);
    const agreement = link.initiation.complete(message);
    const { publicAddress } = link.settings;
    if (isRefused(agreement)) {
      // This one word of the peer's is proven: no other answer will come.
      if (agreement.refusal === "security") this.#failAttempt(now, link, "the peer's Security is another");
      return reportRefusal(this.#context, now, link, agreement, remote);
    }
    if (!agreesWith(publicAddress, agreement.peer.addresses, remote))
      return reportRefusal(this.#context, now, link, { refusal: "addresses" }, remote);
    if (this.#admission.isFormer(agreement.run)) this.#failAttempt(now, link, "answer of a former run of the peer");
    else this.#adopt(now, link, socket, agreement);
  }

  /** The listener is under load and wants to see that we receive at our address. */
  #takeCookie(now: Micros, link: Link, socket: number, message: Uint8Array): void {
    if (link.socket !== socket || !link.initiation?.takeCookie(now, message)) {
      return this.#context.drops.count(DROP["exchange-unexpected"]);
    }
    this.#sendInitiation(link);
  }

  #adopt(now: Micros, link: Link, socket: number, agreement: Agreement): void {
    const { isConnected } = this.#sockets.get(socket) as Socket;
    const path = this.#factory.create(now, {
      link,
      agreement,
      index: link.index,
      socket,
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
    this.#install(now, path);
  }

  /** The path replaces an older one of the same link, and those of former runs of the peer. */
  #install(now: Micros, path: Path): void {
    const { settings } = path;
    const isNewRun = this.#admission.noteRun(settings.run);
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

  /** A path ended; an initiating link tries again at once, and waits if that fails. */
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
    this.#admission.confirmed(path);
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

  /** Gives back what an unfinished attempt holds. */
  #abandon(link: Link): void {
    if (link.index !== 0) this.#context.paths.cancel(link.index);
    link.index = 0;
    const isUsed = this.#context.paths.list.some((path) => path.socket === link.socket);
    if (link.socket >= 0 && link.isTrying && !isUsed) this.#closeSocket(link.socket);
  }

  #closeSocket(socket: number): void {
    if (!this.#sockets.delete(socket)) return;
    this.#context.events.push({ type: "close", socket });
    for (const link of this.#links.values()) if (link.socket === socket) link.socket = -1;
  }

  /** @param topic messages on one topic count together when their rate is limited */
  #log(level: "warn" | "info" | "debug", name: string, text: string, topic = text.slice(0, 12)): void {
    this.#context.events.push({ type: "log", level, key: `${name} ${topic}`, text: `${name}: ${text}` });
  }
}
