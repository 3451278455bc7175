// @hot
/**
 * One path: a local and a remote endpoint, its own packet numbers, acknowledgements, congestion control and keys.
 * It knows nothing of flows, queues or other paths.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import type { CongestionController } from "../congestion/controller.ts";
import { createEndpoint, type Endpoint } from "../endpoint.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import type { Ack } from "../wire/ack.ts";
import { extendPacketNumber, HEADER_SIZE, writeTransportHeader } from "../wire/datagram.ts";
import { AckSchedule, LONGEST_ACK_DELAY } from "./ack-schedule.ts";
import { KeyPhases, type RekeyMessage } from "./key-phases.ts";
import { PathLimits } from "./limits.ts";
import { Liveness, type PathState } from "./liveness.ts";
import type { DeliveryListener } from "./loss.ts";
import { PathMtu } from "./mtu.ts";
import type { OneWayDelay } from "./one-way-delay.ts";
import { Pacer } from "./pacer.ts";
import type { PathSettings } from "./path-settings.ts";
import { RateMeter } from "./rate-meter.ts";
import { ReceivedPackets } from "./received-packets.ts";
import { Recovery } from "./recovery.ts";
import { Roaming } from "./roaming.ts";
import type { Rtt } from "./rtt.ts";
import { SENT, type SentPackets } from "./sent-packets.ts";
import { SkippedNumber } from "./skipped-number.ts";

/** Time beyond a round trip, and beyond the peer's delay, for which the answer to a probe of the MTU is awaited at least. */
const PROBE_SLACK: Micros = 10_000;
/** Least time for which a missing datagram is awaited where datagrams overtake each other. */
const LATE: Micros = 250_000;

export class Path {
  readonly settings: PathSettings;
  readonly id: number;
  readonly link: number;
  /** Lower is preferred; as agreed in the exchange, until somebody changes it at this end. */
  ownMetric: number;
  /** Added to the metric while a person prefers another path. */
  metricPenalty = 0;
  readonly controller: CongestionController;
  readonly keys: KeyPhases;
  readonly liveness: Liveness;
  readonly limits: PathLimits;
  readonly pathMtu: PathMtu;
  readonly recovery: Recovery;
  /** Parts of `recovery`. */
  readonly sent: SentPackets;
  readonly rtt: Rtt;
  readonly delay: OneWayDelay;
  readonly received = new ReceivedPackets();
  readonly acks = new AckSchedule();
  readonly remote: Endpoint = createEndpoint();
  readonly local: Endpoint = createEndpoint();
  /** Number of the socket that the path's datagrams leave by; a roaming peer may change it. */
  socket: number;
  readonly roaming = new Roaming(this);
  /** True while datagrams wait in the data plane for the socket: nothing more may be sealed. */
  isBlocked = false;
  /** Time at which a datagram that asks for an acknowledgement was last sent. */
  lastSentAt: Micros;
  /** True if a probe is to go with the next datagram, whatever the timers say. */
  isProbeWanted = false;
  /** Goes with the next datagram. */
  rekey: RekeyMessage | undefined;
  sentPackets = 0;
  sentBytes = 0;
  readonly sentRate = new RateMeter();
  readonly receivedRate = new RateMeter();
  readonly #pacer: Pacer;
  readonly #skipped: SkippedNumber;
  /** True once the peer has acknowledged a number that was left out. */
  isDeceived = false;

  constructor(now: Micros, settings: PathSettings) {
    this.settings = settings;
    this.id = settings.id;
    this.link = settings.link;
    this.ownMetric = settings.metric;
    this.controller = settings.controller;
    this.keys = new KeyPhases(now, settings.security);
    this.liveness = new Liveness(now, settings.state, settings.timeout);
    this.pathMtu = new PathMtu(now, settings.mtu);
    this.recovery = new Recovery(settings, this.pathMtu);
    this.sent = this.recovery.sent;
    this.rtt = this.recovery.rtt;
    this.delay = this.recovery.delay;
    this.remote.set(settings.remote);
    this.local.set(settings.local);
    this.socket = settings.socket;
    this.lastSentAt = now;
    this.#pacer = new Pacer(settings.mtu.ceiling);
    this.#skipped = new SkippedNumber(settings.random);
    this.limits = new PathLimits(settings.limits, settings.headers, settings.mtu.ceiling);
    this.#limitController();
  }

  /** The metric by which the path is chosen. */
  get metric(): number {
    return this.ownMetric + this.metricPenalty;
  }

  get state(): PathState {
    return this.liveness.state;
  }

  get isUp(): boolean {
    return this.liveness.state === "up";
  }

  /** Largest datagram that is known to pass, bytes. */
  get mtu(): number {
    return this.pathMtu.size;
  }

  /** One-way delay of a packet sent now, µs, against the zero that all paths share. */
  get arrival(): Micros {
    // With nothing in flight, a queue has drained.
    return this.sent.packetsInFlight === 0 ? this.delay.base : this.delay.smoothed;
  }

  /** True if the path's delay is known, to the address in use. */
  get isMeasured(): boolean {
    return this.delay.isMeasured && !this.roaming.isProving;
  }

  get jitter(): Micros {
    return this.delay.jitter;
  }

  get randomLoss(): number {
    return this.controller.randomLoss;
  }

  /** Estimated rate of the path, bytes per second. */
  get estimate(): number {
    const { estimate, limit, window } = this.controller;
    if (estimate > 0) return Math.min(limit, estimate);
    return window === NEVER ? limit : Math.min(limit, (window * MICROS_PER_SECOND) / this.rtt.smoothed);
  }

  /** True if congestion control, pacing and limits let a datagram with data go now. */
  maySend(now: Micros): boolean {
    return (
      !this.isBlocked &&
      this.roaming.allows(this.pathMtu.size) &&
      this.sent.bytesInFlight < this.controller.window &&
      !this.sent.isFull &&
      this.limits.allows(now) &&
      this.#pacer.advance(now, this.controller.pacingRate) > 0
    );
  }

  /** Returns when pacing and limits let the next datagram go; `NEVER` while only an acknowledgement can. */
  maySendAt(now: Micros): Micros {
    if (this.isBlocked || this.sent.bytesInFlight >= this.controller.window || this.sent.isFull) return NEVER;
    if (!this.roaming.allows(this.pathMtu.size)) return NEVER;
    return Math.max(this.limits.readyAt(now), this.#pacer.readyAt(now, this.controller.pacingRate));
  }

  /** Takes the peer's limits of this path: bytes per second of IP packets. */
  setPeerLimits(isMetered: boolean, rate: number): void {
    this.limits.setPeer(isMetered, rate);
    this.#limitController();
  }

  #limitController(): void {
    this.controller.limit = this.limits.rateFor(this.settings.mtu.ceiling);
  }

  /** True if the peer is to be sent this end's limits now. */
  areLimitsDue(now: Micros): boolean {
    return this.limits.areDue(now, this.#isAcked);
  }

  readonly #isAcked = (number: number): boolean => this.sent.stateOf(number) === SENT.ACKED;

  /** Does the same as `sealInto`, in place, with the messages in `slot`. */
  seal(now: Micros, pool: PacketPool, slot: Slot, asksForAck: boolean, kept: number = NO_SLOT): void {
    const from = pool.start[slot] as number;
    pool.start[slot] = from - HEADER_SIZE;
    this.sealInto(now, pool, slot, from, pool.length[slot] as number, asksForAck, kept);
  }

  /**
   * Gives a packet number to `length` bytes of messages at offset `from` of the arena and seals them into the slot `into`, at its start.
   * @param asksForAck true for everything but bare acknowledgements
   * @param kept given to the path's listener once the datagram is settled; -1 for nothing
   */
  sealInto(
    now: Micros,
    pool: PacketPool,
    into: Slot,
    from: number,
    length: number,
    asksForAck: boolean,
    kept: number,
  ): void {
    const { keys, sent } = this;
    const number = sent.next;
    writeTransportHeader(pool.view, pool.start[into] as number, keys.phase, this.settings.peerIndex, number);
    keys.seal(pool, into, number, from, length);
    const bytes = pool.length[into] as number;
    sent.add(now, asksForAck ? bytes : 0, bytes, kept);
    this.sentPackets++;
    this.sentBytes += bytes;
    this.sentRate.add(now, bytes);
    this.#pacer.spend(bytes);
    this.limits.spend(bytes);
    this.roaming.onSent(bytes);
    if (!asksForAck) return;
    this.lastSentAt = now;
    this.controller.onSent(now, number, bytes);
    this.liveness.onSent(now);
  }

  /** Seals a probe of the path's MTU: its loss concerns nobody but the search. */
  sealMtuProbe(now: Micros, pool: PacketPool, slot: Slot): void {
    this.seal(now, pool, slot, false);
    const { smoothed, deviation } = this.rtt;
    this.pathMtu.onSent(now, this.sent.next - 1, smoothed + Math.max(4 * deviation, PROBE_SLACK) + LONGEST_ACK_DELAY);
  }

  /** Returns the whole packet number of which `low` are 32 bits. */
  packetNumber(low: number): number {
    return extendPacketNumber(low, this.received.largest + 1);
  }

  /** Notes an authentic datagram that is new. `length` is that of the datagram. */
  accept(now: Micros, packetNumber: number, length: number): void {
    this.keys.follow(now, this.sent.next, packetNumber);
    this.received.accept(packetNumber, now, length);
    this.receivedRate.add(now, length);
  }

  /** Leaves out the next packet number, if it is time for that; to be called where the next datagram is no further fragment. */
  leaveOutNumber(now: Micros): void {
    this.#skipped.leaveOut(now, this.sent);
  }

  /** Handles an acknowledgement of this path's datagrams; returns false if it is impossible. */
  handleAck(now: Micros, ack: Ack): boolean {
    if (this.#skipped.isClaimed(this.sent, ack)) {
      this.isDeceived = true;
      return false;
    }
    const acked = this.recovery.handleAck(now, ack);
    if (acked > 0) {
      if (this.liveness.isLongSilent(now)) this.controller.onIdleRestart(now);
      this.liveness.onAnswered(now, this.sent.packetsInFlight > 0);
    }
    return acked >= 0;
  }

  /** Lets time pass: losses by timeout, holes given up, suspicion. Returns true if the state changed. */
  handleTimeout(now: Micros): boolean {
    this.recovery.handleTimeout(now);
    if (this.received.hasHole && this.received.giveUp(now, this.#holeWait(now))) this.acks.hurry();
    const isChanged = this.liveness.advance(now, this.rtt);
    if (isChanged && this.state === "suspect") this.recovery.abandon(now);
    return isChanged;
  }

  /** Ends the path: `deliveries` takes what was kept with datagrams in flight, as lost. */
  abandon(now: Micros, deliveries?: DeliveryListener): void {
    this.recovery.abandon(now, deliveries);
  }

  /** Returns when the path next needs attention, apart from sending. */
  deadline(): Micros {
    let at = Math.min(this.liveness.deadline(this.rtt), this.recovery.deadline());
    if (this.received.hasHole) at = Math.min(at, this.received.giveUpAt(this.#holeWait(this.received.latestAt)));
    return Math.min(at, this.roaming.isProving ? this.roaming.deadline() : this.acks.dueAt(this.rtt.smoothed));
  }

  /** Returns how long a missing datagram is awaited: longer where datagrams overtake each other, so that a late one is still reported. */
  #holeWait(now: Micros): Micros {
    const mayComeLate = this.settings.lossDetection === "gap" && this.received.isReordering(now);
    return mayComeLate ? Math.max(LATE, this.rtt.smoothed) : this.rtt.smoothed / 2;
  }
}
