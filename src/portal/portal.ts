/**
 * The tunnel's end, in the dissertation the Proxy: source → queue → paths, and paths → resequencer → sink, for as many
 * links as there are. It owns all state, does no I/O and reads no clock.
 *
 * Order of calls: any number of `handle*`, then `pollDatagrams` for every path in `paths`, `pollPackets` and `pollEvent` until they yield
 * nothing, then sleep until `pollTimeout` or the next input, then `handleTimeout`.
 */
import type { Micros } from "../clock.ts";
import { DropCounters } from "../drops.ts";
import type { Endpoint } from "../endpoint.ts";
import { type Identity, NoiseExchange } from "../exchange/noise-exchange.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { DelayOrigin } from "../path/one-way-delay.ts";
import type { Path } from "../path/path.ts";
import type { X25519 } from "../ports.ts";
import type { RandomBytes } from "../random.ts";
import { createOffer } from "../security/offer.ts";
import { PORTABLE_CIPHERS } from "../security/portable-ciphers.ts";
import { KeyPair } from "../security/x25519.ts";
import { RUN_SIZE } from "../wire/exchange-messages.ts";
import { ParsedHeader } from "../wire/ip.ts";
import { AllowedIps } from "./allowed-ips.ts";
import type { PortalContext } from "./context.ts";
import { createDiscipline } from "./discipline.ts";
import type { PortalEvent } from "./events.ts";
import { Links } from "./links/links.ts";
import { PathTable } from "./path-table.ts";
import type { Query, Responder } from "./query.ts";
import { AckGate } from "./receiving/ack-gate.ts";
import { Inbound } from "./receiving/inbound.ts";
import { Diagnosis } from "./reporting/diagnosis.ts";
import { reportTunnel } from "./reporting/report.ts";
import { FlowSaturation } from "./sending/flow-saturation.ts";
import { Outbound } from "./sending/outbound.ts";
import { Retransmissions } from "./sending/retransmissions.ts";
import type { LinkCommand, LinkSettings, TunnelSettings } from "./settings.ts";
import type { TunnelSnapshot } from "./snapshot.ts";
import { TunnelEstimate } from "./tunnel-estimate.ts";

export class Portal {
  readonly #context: PortalContext;
  readonly #links: Links;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #estimate: TunnelEstimate;
  readonly #saturation: FlowSaturation;
  readonly #retransmissions: Retransmissions;
  readonly #ackGate: AckGate;
  readonly #parsed = new ParsedHeader();
  readonly #diagnosis: Diagnosis;

  /**
   * @param random cryptographic in life, seeded in tests
   * @param ciphers the fastest that the machine has
   */
  constructor(settings: TunnelSettings, pool: PacketPool, random: RandomBytes, ciphers = PORTABLE_CIPHERS) {
    const identity = identityOf(settings, ciphers.x25519);
    const offer = createOffer(settings.security, settings.suiteCosts, ciphers);
    const run = new Uint8Array(RUN_SIZE);
    random(run);
    const drops = new DropCounters();
    const paths = new PathTable(random);
    this.#estimate = new TunnelEstimate(paths);
    const discipline = createDiscipline(settings, pool, drops, paths, this.#estimate);
    this.#context = {
      settings,
      pool,
      random,
      exchange: new NoiseExchange(offer, identity, run, random, ciphers.x25519),
      publicKey: identity.keyPair?.publicKey,
      overhead: offer.overhead,
      ...discipline,
      drops,
      paths,
      allowedIps: new AllowedIps(settings.allowedIps),
      estimate: this.#estimate,
      activity: { lastPacketAt: 0 },
      delayOrigin: new DelayOrigin(),
      events: [],
    };
    this.#retransmissions = new Retransmissions(pool, this.#estimate);
    this.#links = new Links(this.#context, this.#retransmissions, (now) => this.#restartFlows(now));
    const salt = drawSalt(random);
    const ackGate = new AckGate(pool, salt);
    this.#ackGate = ackGate;
    this.#outbound = new Outbound(this.#context, this.#retransmissions, salt, (now, slot, parsed) =>
      ackGate.onOutbound(now, slot, parsed),
    );
    this.#saturation = new FlowSaturation(discipline.queue.perFlow, this.#estimate);
    this.#diagnosis = new Diagnosis(this.#context, () => this.#outbound.best());
    this.#inbound = new Inbound(this.#context, {
      onExchange: (now, socket, message, type, remote, local) =>
        this.#links.handleExchange(now, socket, message, type, remote, local),
      onConfirmed: (now, path) => this.#links.handleConfirmed(now, path),
      onClosed: (now, path, reason) => this.#links.handleClosed(now, path, reason),
      onDeceived: (now, path) => this.#links.handleDeceived(now, path),
      onArrival: (now, start, parsed) => this.#outbound.handleArrival(now, start, parsed),
      onRekey: (now, path, isAnswer, epoch, message) =>
        this.#links.rekeying.handleMessage(now, path, isAnswer, epoch, message),
      onDiagnosis: (now, path, at, end) => this.#diagnosis.handleMessage(now, path, at, end),
      onAnswered: (now, path) => this.#links.handleAnswered(now, path),
    });
  }

  /** Paths in use, to be polled; changed by any `handle*`. */
  get paths(): readonly Path[] {
    return this.#context.paths.list;
  }

  addLink(now: Micros, settings: LinkSettings): void {
    this.#links.add(now, settings);
  }

  removeLink(now: Micros, id: number): void {
    this.#links.remove(now, id);
  }

  /** Changes a running link as a person wants. */
  changeLink(now: Micros, id: number, change: LinkCommand): void {
    this.#links.change(now, id, change);
  }

  /** Asks a person's question; the answer is a `diagnosed` event. */
  ask(now: Micros, request: number, query: Query): void {
    this.#diagnosis.ask(now, request, query);
  }

  /** Takes the answer to a `responder-wanted` event. */
  handleResponder(now: Micros, token: number, responder: Responder): void {
    this.#diagnosis.handleResponder(now, token, responder);
  }

  /** Ends all paths. The events that follow tell the peer. */
  close(now: Micros): void {
    this.#links.close(now);
  }

  /** Takes the answer to an `open` event: the socket is open, and connected if it is TCP. `remote` has family 0 for a listener. */
  handleOpened(now: Micros, link: number, attempt: number, socket: number, remote: Endpoint, local: Endpoint): void {
    this.#links.handleOpened(now, link, attempt, socket, remote, local);
  }

  /** Takes the other answer to an `open` event: it failed. */
  handleFailed(now: Micros, link: number, attempt: number, reason: string): void {
    this.#links.handleFailed(now, link, attempt, reason);
  }

  /** Adds a socket to a listening link: a TCP connection accepted from `peer`, or without one a socket for the other IP version. */
  addSocket(now: Micros, link: number, socket: number, peer?: Endpoint): void {
    this.#links.addSocket(now, link, socket, peer);
  }

  /** Notes that a socket was closed by the system or the peer. */
  handleSocketClosed(now: Micros, socket: number, reason: string): void {
    this.#links.handleSocketClosed(now, socket, reason);
  }

  /** Makes a path suspect at once, as the local system refuses to send on it: interface down, no route. */
  handleSendFault(now: Micros, path: Path, reason: string): void {
    if (!path.isUp) return;
    path.liveness.onFault(now, reason);
    this.#links.handlePathState(now, path);
  }

  /** Notes that the local system refused a datagram of so many bytes on a path as too large. */
  handleTooBig(now: Micros, path: Path, bytes: number): void {
    path.pathMtu.onRefused(now, bytes);
  }

  /** Takes an IP packet from the host, and its slot with it. */
  handlePacket(now: Micros, slot: Slot): void {
    this.#outbound.handlePacket(now, slot);
  }

  /** Takes a datagram from the network, and its slot with it. Never throws. */
  handleDatagram(now: Micros, socket: number, slot: Slot, remote: Endpoint, local: Endpoint): void {
    this.#inbound.handleDatagram(now, socket, slot, remote, local);
  }

  /** Lets time pass. */
  handleTimeout(now: Micros): void {
    this.#retransmissions.handleTimeout(now);
    this.#outbound.duplicates.discardStale(now);
    if (this.#context.queue.perFlow) this.#estimate.update(now);
    this.#inbound.reassembly.handleTimeout(now);
    const { list } = this.#context.paths;
    for (let i = list.length - 1; i >= 0; i--) {
      const path = list[i] as Path;
      if (path.handleTimeout(now)) this.#links.handlePathState(now, path);
    }
    this.#links.handleTimeout(now);
    this.#diagnosis.handleTimeout(now);
  }

  /** Appends the datagrams that `path` may send now to `out`. The caller sends them to the path's `remote` from its `local` and releases the slots. */
  pollDatagrams(now: Micros, path: Path, out: PacketBatch): void {
    this.#outbound.pollDatagrams(now, path, out);
  }

  /** Appends IP packets for the host to `out`; their slots are then the caller's. */
  pollPackets(now: Micros, out: PacketBatch): void {
    this.#outbound.pollErrors(out);
    for (;;) {
      const from = out.count;
      if (this.#context.resequencer.poll(now, out) === 0) break;
      this.#ackGate.filter(now, out, from, this.#parsed, this.#saturation);
    }
    this.#ackGate.pollDue(now, out);
  }

  pollEvent(): PortalEvent | undefined {
    return this.#context.events.shift();
  }

  /** Returns when to call `handleTimeout` and poll again if nothing comes before; may be in the past. */
  pollTimeout(now: Micros): Micros {
    let at = Math.min(this.#links.deadline(), this.#context.resequencer.deadline(), this.#diagnosis.deadline());
    at = Math.min(at, this.#inbound.reassembly.deadline());
    at = Math.min(at, this.#ackGate.deadline());
    if (this.#outbound.hasErrors || this.#context.events.length > 0) return now;
    for (const path of this.#context.paths.list) at = Math.min(at, this.#outbound.deadline(now, path));
    return at;
  }

  snapshot(now: Micros): TunnelSnapshot {
    return reportTunnel(now, this.#context, this.#links, this.#outbound, this.#inbound);
  }

  #restartFlows(now: Micros): void {
    this.#retransmissions.clear();
    this.#outbound.restartFlows();
    this.#context.resequencer.reset(now);
  }
}

/** Returns the identity for exchanges; without security all portals have the same, whatever keys are configured. */
function identityOf({ security, sharedKey, privateKey, peerKey }: TunnelSettings, x25519: X25519): Identity {
  if (security === "none") return { sharedKey: NO_KEY };
  return { sharedKey: sharedKey ?? NO_KEY, keyPair: privateKey && new KeyPair(privateKey, x25519), peerKey };
}

/** Returns 32 random bits, so that nobody can choose flows that share a bucket. */
function drawSalt(random: RandomBytes): number {
  const salt = new Uint8Array(4);
  random(salt);
  return salt.reduce((sum, byte) => 256 * sum + byte, 0);
}

const NO_KEY = new Uint8Array(32);
