// @hot
/**
 * One path: a local and a remote endpoint, its own packet numbers, acknowledgements, congestion control and keys.
 * It knows nothing of flows, queues or other paths.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import type { AckSample, CongestionController } from "../congestion/controller.ts";
import { createEndpoint, type Endpoint } from "../endpoint.ts";
import { NO_SLOT, type PacketPool, type Slot } from "../memory/packet-pool.ts";
import type { Ack } from "../wire/ack.ts";
import { extendPacketNumber, HEADER_SIZE, writeTransportHeader } from "../wire/datagram.ts";
import { AckSchedule, LONGEST_ACK_DELAY } from "./ack-schedule.ts";
import { KeyPhases, type RekeyMessage } from "./key-phases.ts";
import { PathLimits } from "./limits.ts";
import { Liveness, type PathState } from "./liveness.ts";
import { applyAck, applyGap, applyTimeout, type DeliveryListener, SettledDatagrams } from "./loss.ts";
import { PathMtu } from "./mtu.ts";
import { OneWayDelay } from "./one-way-delay.ts";
import { Overdue } from "./overdue.ts";
import { Pacer } from "./pacer.ts";
import type { PathSettings } from "./path-settings.ts";
import { RateMeter } from "./rate-meter.ts";
import { ReceivedPackets } from "./received-packets.ts";
import { ReorderWindow } from "./reorder-window.ts";
import { Roaming } from "./roaming.ts";
import { Rtt } from "./rtt.ts";
import { SENT, SentPackets } from "./sent-packets.ts";

/** The sender's timeout of the dissertation, in round-trip times. */
const SENDER_TIMEOUT = 3;
/** A probe of the MTU is waited for at least so much longer than a round trip. */
const PROBE_SLACK: Micros = 10_000;
/** Where datagrams overtake each other, a missing one is waited for at least this long. */
const LATE: Micros = 250_000;

export class Path {
  readonly settings: PathSettings;
  readonly id: number;
  readonly link: number;
  /** Lower is preferred; as agreed in the exchange, until somebody changes it at this end. */
  ownMetric: number;
  /** Added to it while a person prefers another path. */
  metricPenalty = 0;
  readonly pathMtu: PathMtu;
  readonly controller: CongestionController;
  readonly keys: KeyPhases;
  readonly liveness: Liveness;
  readonly roaming = new Roaming(this);
  readonly limits: PathLimits;
  readonly rtt = new Rtt();
  readonly delay = new OneWayDelay();
  readonly reorder = new ReorderWindow();
  readonly sent = new SentPackets();
  readonly received = new ReceivedPackets();
  readonly acks = new AckSchedule();
  readonly overdue = new Overdue();
  readonly remote: Endpoint = createEndpoint();
  readonly local: Endpoint = createEndpoint();
  /** Which socket the path's datagrams leave by; a roaming peer may change it. */
  socket: number;
  /** Datagrams wait in the dataplane for the socket: nothing more may be sealed. */
  isBlocked = false;
  /** When something that asks for an answer last left. */
  lastSentAt: Micros;
  /** A probe is to go with the next datagrams, whatever the timers say. */
  probeWanted = false;
  /** To go with the next datagram. */
  rekey: RekeyMessage | undefined;
  sentPackets = 0;
  sentBytes = 0;
  lostPackets = 0;
  readonly sentRate = new RateMeter();
  readonly receivedRate = new RateMeter();
  readonly ackedMeter = new RateMeter();
  readonly lostMeter = new RateMeter();
  readonly #pacer: Pacer;
  readonly #settled = new SettledDatagrams();
  readonly #sample: AckSample = {
    now: 0,
    bytes: 0,
    packets: 0,
    rtt: 0,
    smoothedRtt: 0,
    minRtt: 0,
    sentAt: 0,
    priorInFlight: 0,
    inFlight: 0,
    largest: -1,
    latest: -1,
    receivedBytes: 0,
    receivedAt: 0,
    ackDelay: 0,
    delay: 0,
    sentBytes: 0,
    jitter: 0,
  };
  /** The peer's counters of the newest report, raw and unwrapped. */
  #rawBytes = 0;
  #rawTime = 0;

  constructor(now: Micros, settings: PathSettings) {
    this.settings = settings;
    this.id = settings.id;
    this.link = settings.link;
    this.ownMetric = settings.metric;
    this.pathMtu = new PathMtu(now, settings.mtu);
    this.controller = settings.controller;
    this.keys = new KeyPhases(now, settings.security);
    this.socket = settings.socket;
    this.remote.set(settings.remote);
    this.local.set(settings.local);
    this.liveness = new Liveness(now, settings.state, settings.timeout);
    this.lastSentAt = now;
    this.#pacer = new Pacer(settings.mtu.ceiling);
    this.limits = new PathLimits(settings.limits, settings.headers, settings.mtu.ceiling);
    this.controller.limit = this.limits.rateFor(this.settings.mtu.ceiling);
  }

  /** The metric by which the path is chosen. */
  get metric(): number {
    return this.ownMetric + this.metricPenalty;
  }

  get state(): PathState {
    return this.liveness.state;
  }

  /** Largest datagram that is known to pass, bytes. */
  get mtu(): number {
    return this.pathMtu.size;
  }

  get isUp(): boolean {
    return this.liveness.state === "up";
  }

  /** True if congestion control and pacing let a datagram with data go now. */
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

  /** When pacing lets the next datagram go; `NEVER` while only an acknowledgement can help. */
  maySendAt(now: Micros): Micros {
    if (this.isBlocked || this.sent.bytesInFlight >= this.controller.window || this.sent.isFull) return NEVER;
    if (!this.roaming.allows(this.pathMtu.size)) return NEVER;
    return Math.max(this.limits.readyAt(now), this.#pacer.readyAt(now, this.controller.pacingRate));
  }

  /** What the peer wants of this path. */
  hearLimits(isMetered: boolean, limit: number): void {
    this.limits.hear(isMetered, limit);
    this.controller.limit = this.limits.rateFor(this.settings.mtu.ceiling);
  }

  mustTellLimits(now: Micros): boolean {
    return this.limits.mustTell(now, this.#hasArrived);
  }

  readonly #hasArrived = (number: number): boolean => this.sent.stateOf(number) === SENT.ACKED;

  /** Where a packet sent now would arrive, against the zero that all paths share. */
  get arrival(): Micros {
    // Nothing on its way: what queue there was has drained.
    return this.sent.packetsInFlight === 0 ? this.delay.base : this.delay.smoothed;
  }

  /** Whether its delay is known, also on the way to an address that is new. */
  get isMeasured(): boolean {
    return this.delay.isMeasured && !this.roaming.isProving;
  }

  get jitter(): Micros {
    return this.delay.jitter;
  }

  get randomLoss(): number {
    return this.controller.randomLoss;
  }

  /** Bytes per second the path is believed to carry. */
  get estimate(): number {
    const { estimate, limit, window } = this.controller;
    if (estimate > 0) return Math.min(limit, estimate);
    return window === NEVER ? limit : Math.min(limit, (window * MICROS_PER_SECOND) / this.rtt.smoothed);
  }

  /** As `sealInto`, of the messages in `slot` and in place. */
  seal(now: Micros, pool: PacketPool, slot: Slot, asksForAck: boolean, kept: number = NO_SLOT): void {
    const from = pool.start[slot] as number;
    pool.start[slot] = from - HEADER_SIZE;
    this.sealInto(now, pool, slot, from, pool.length[slot] as number, asksForAck, kept);
  }

  /**
   * Numbers and seals `length` bytes of messages at offset `from` of the arena, into the slot `into` at its start.
   * @param asksForAck true for everything but bare acknowledgements
   * @param kept what is kept of the packet until this is acknowledged, -1 for none
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
    writeTransportHeader(pool.view, pool.start[into] as number, keys.phase, this.settings.peerIndex, sent.next);
    keys.seal(pool, into, sent.next, from, length);
    const bytes = pool.length[into] as number;
    this.sent.add(now, asksForAck ? bytes : 0, bytes, kept);
    this.sentPackets++;
    this.sentBytes += bytes;
    this.sentRate.add(now, bytes);
    this.#pacer.spend(bytes);
    this.limits.spend(bytes);
    this.roaming.onSent(bytes);
    if (!asksForAck) return;
    this.lastSentAt = now;
    this.controller.onSent(now, this.sent.next - 1, bytes);
    this.liveness.onSent(now);
  }

  /** Seals a probe of the path's MTU: nothing but the search learns from its loss. */
  sealMtuProbe(now: Micros, pool: PacketPool, slot: Slot): void {
    this.seal(now, pool, slot, false);
    const { smoothed, deviation } = this.rtt;
    this.pathMtu.onSent(now, this.sent.next - 1, smoothed + Math.max(4 * deviation, PROBE_SLACK) + LONGEST_ACK_DELAY);
  }

  /** The whole packet number of which `low` are 32 bits. */
  packetNumber(low: number): number {
    return extendPacketNumber(low, this.received.largest + 1);
  }

  /** Notes an authentic datagram that is new. `length` is what came from the network. */
  accept(now: Micros, packetNumber: number, length: number): void {
    this.keys.follow(now, this.sent.next, packetNumber);
    this.received.accept(packetNumber, now, length);
    this.receivedRate.add(now, length);
  }

  /** Handles an acknowledgement of this path's datagrams; false if it is impossible. */
  handleAck(now: Micros, ack: Ack): boolean {
    const settled = this.#settled;
    const prior = this.sent.bytesInFlight;
    const { lossDetection, deliveries } = this.settings;
    settled.largeFrom = this.pathMtu.large;
    settled.largeTo = this.pathMtu.size;
    if (!applyAck(now, this.sent, ack, lossDetection, deliveries, settled)) return false;
    if (lossDetection === "gap") {
      this.#learnReordering(now, settled);
      applyGap(this.sent, this.reorder.window(now), this.reorder.distance, deliveries, settled);
    }
    if (settled.latest >= 0) this.#takeReport(now, ack, settled.latest);
    this.pathMtu.onAck(now, this.sent, ack);
    this.#account(now, settled);
    if (settled.lostPackets > 0)
      this.controller.onLost(now, settled.lostBytes, settled.lostPackets, settled.lostSentAt);
    if (settled.ackedPackets > 0) {
      const sample = this.#sample;
      sample.now = now;
      sample.bytes = settled.ackedBytes;
      sample.packets = settled.ackedPackets;
      sample.rtt = this.rtt.latest;
      sample.smoothedRtt = this.rtt.smoothed;
      sample.minRtt = this.rtt.min;
      sample.sentAt = this.sent.sentAt(settled.largestAcked);
      sample.priorInFlight = prior;
      sample.inFlight = this.sent.bytesInFlight;
      this.controller.onAcked(sample);
      if (this.liveness.isLongSilent(now)) this.controller.onIdleRestart(now);
      this.liveness.onAnswered(now, this.sent.packetsInFlight > 0);
    }
    return true;
  }

  #learnReordering(now: Micros, settled: SettledDatagrams): void {
    this.reorder.onAcked(settled.ackedPackets);
    if (settled.spuriousPackets === 0) return;
    this.reorder.onSpurious(now, settled.spuriousPackets, settled.overtaken, this.rtt.smoothed, this.jitter);
    this.controller.onSpurious(settled.spuriousPackets);
  }

  /** Unwraps the peer's counters; a report that was overtaken by a newer one adds nothing. */
  #takeReport(now: Micros, ack: Ack, latest: number): void {
    const sample = this.#sample;
    const isFirst = sample.largest < 0;
    const time = (ack.receivedAt + ack.delay) >>> 0;
    if (!isFirst) {
      sample.receivedBytes += (ack.bytes - this.#rawBytes) >>> 0;
      sample.receivedAt += (time - this.#rawTime) >>> 0;
    }
    this.#rawBytes = ack.bytes;
    this.#rawTime = time;
    const sentAt = this.sent.sentAt(latest);
    this.rtt.update(now - sentAt - ack.delay);
    this.delay.update(now, this.settings.delayOrigin.relative(sentAt, ack.receivedAt));
    sample.largest = this.sent.largestReported;
    sample.latest = latest;
    sample.ackDelay = ack.delay;
    sample.sentBytes = this.sent.totalAt(latest);
    sample.delay = this.delay.latest;
    sample.jitter = this.delay.jitter;
  }

  #account(now: Micros, settled: SettledDatagrams): void {
    this.pathMtu.onSettled(now, settled);
    this.lostPackets += settled.lostPackets;
    this.lostMeter.add(now, settled.lostPackets);
    this.ackedMeter.add(now, settled.ackedPackets);
  }

  /** Lets time pass: losses by timeout, holes given up, suspicion. True if the state changed. */
  handleTimeout(now: Micros): boolean {
    if (this.sent.packetsInFlight > 0 && now >= this.#senderTimeoutAt()) {
      applyTimeout(now, this.sent, now - this.#senderTimeout(), this.settings.deliveries, this.#settled);
      this.#loseTimedOut(now);
    }
    if (this.received.hasHole && this.received.giveUp(now, this.#holeWait(now))) this.acks.hurry();
    const changed = this.liveness.advance(now, this.rtt);
    if (changed && this.state === "suspect") {
      applyTimeout(now, this.sent, now, this.settings.deliveries, this.#settled);
      this.#loseTimedOut(now);
    }
    return changed;
  }

  /** Ends the path: `deliveries` takes what was kept with datagrams in flight, as lost. */
  abandon(now: Micros, deliveries: DeliveryListener = this.settings.deliveries): void {
    applyTimeout(now, this.sent, now, deliveries, this.#settled);
    this.#loseTimedOut(now);
  }

  #loseTimedOut(now: Micros): void {
    const settled = this.#settled;
    if (settled.lostPackets === 0) return;
    this.pathMtu.onSettled(now, settled);
    this.lostPackets += settled.lostPackets;
    this.lostMeter.add(now, settled.lostPackets);
    this.controller.onLost(now, settled.lostBytes, settled.lostPackets, settled.lostSentAt);
  }

  /** When the path next wants attention, sending aside. */
  deadline(): Micros {
    let at = this.liveness.deadline(this.rtt);
    if (this.sent.packetsInFlight > 0) at = Math.min(at, this.#senderTimeoutAt());
    if (this.received.hasHole) at = Math.min(at, this.received.giveUpAt(this.#holeWait(this.received.latestAt)));
    return Math.min(at, this.roaming.isProving ? this.roaming.deadline() : this.acks.dueAt(this.rtt.smoothed));
  }

  /** What is overtaken on a path that reorders comes later than half a round trip, and must still be told of. */
  #holeWait(now: Micros): Micros {
    const isLate = this.settings.lossDetection === "gap" && this.received.isReordering(now);
    return isLate ? Math.max(LATE, this.rtt.smoothed) : this.rtt.smoothed / 2;
  }

  #senderTimeoutAt(): Micros {
    return this.sent.sentAt(this.sent.firstInFlight) + this.#senderTimeout();
  }

  /** With `gap`, only the last datagrams before a pause are found lost by time: soon, as nothing overtakes them. */
  #senderTimeout(): Micros {
    if (this.settings.lossDetection === "gap") {
      const { smoothed, deviation } = this.rtt;
      return smoothed + Math.max(4 * deviation, this.reorder.window(0), 5_000) + LONGEST_ACK_DELAY;
    }
    return SENDER_TIMEOUT * Math.max(this.rtt.smoothed + this.rtt.deviation, MICROS_PER_SECOND / 100);
  }

  /** Share of datagrams lost over about the last second, 0 to 1. */
  lossShare(now: Micros): number {
    const lost = this.lostMeter.read(now);
    const total = lost + this.ackedMeter.read(now);
    return total < 1 ? 0 : lost / total;
  }
}
