// @hot
/**
 * Follows the datagrams of a path until they are settled (RFC 9002): acknowledgements give round-trip time, delay and reordering, losses are detected
 * by acknowledgement or timeout, and the congestion controller, the search for the MTU and the listener that keeps packets learn of both.
 */
import { type Micros, NEVER } from "../clock.ts";
import type { Ack } from "../wire/ack.ts";
import { AckSampler } from "./ack-sampler.ts";
import { LONGEST_ACK_DELAY } from "./ack-schedule.ts";
import { applyAck, applyGap, applyTimeout, type DeliveryListener, SettledDatagrams } from "./loss.ts";
import type { PathMtu } from "./mtu.ts";
import { OneWayDelay } from "./one-way-delay.ts";
import { Overdue } from "./overdue.ts";
import type { PathSettings } from "./path-settings.ts";
import { RateMeter } from "./rate-meter.ts";
import { ReorderWindow } from "./reorder-window.ts";
import { Rtt } from "./rtt.ts";
import { SentPackets } from "./sent-packets.ts";

/** The sender's timeout of the dissertation (3.2.3), in round-trip times, and the shortest round trip it counts with. */
const SENDER_TIMEOUT = 3;
const SENDER_TIMEOUT_RTT: Micros = 10_000;
/** Time beyond a round trip after which `gap` declares the last datagrams before a pause lost: at least this and the peer's delay. */
const TAIL_SLACK: Micros = 5_000;

export class Recovery {
  readonly sent = new SentPackets();
  readonly rtt = new Rtt();
  readonly delay = new OneWayDelay();
  readonly reorder = new ReorderWindow();
  readonly overdue = new Overdue();
  lostPackets = 0;
  readonly #settings: PathSettings;
  readonly #pathMtu: PathMtu;
  readonly #sampler = new AckSampler();
  readonly #settled = new SettledDatagrams();
  readonly #ackedMeter = new RateMeter();
  readonly #lostMeter = new RateMeter();

  constructor(settings: PathSettings, pathMtu: PathMtu) {
    this.#settings = settings;
    this.#pathMtu = pathMtu;
  }

  /** Handles an acknowledgement; returns how many datagrams it newly acknowledged, -1 if it is impossible and nothing changed. */
  handleAck(now: Micros, ack: Ack): number {
    const { sent } = this;
    const settled = this.#settled;
    const { lossDetection, deliveries, controller } = this.#settings;
    const prior = sent.bytesInFlight;
    settled.largeFrom = this.#pathMtu.large;
    settled.largeTo = this.#pathMtu.size;
    if (!applyAck(now, sent, ack, lossDetection, deliveries, settled)) return -1;
    if (lossDetection === "gap") {
      this.#learnReordering(now);
      applyGap(sent, this.reorder.window(now), this.reorder.distance, deliveries, settled);
    }
    if (settled.latest >= 0) this.#takeReport(now, ack, settled.latest);
    this.#pathMtu.onAck(now, sent, ack);
    this.#ackedMeter.add(now, settled.ackedPackets);
    this.#countLosses(now);
    if (settled.ackedPackets > 0) controller.onAcked(this.#sampler.sampleOf(now, settled, sent, this.rtt, prior));
    return settled.ackedPackets;
  }

  #learnReordering(now: Micros): void {
    const { ackedPackets, spuriousPackets, overtaken } = this.#settled;
    this.reorder.onAcked(ackedPackets);
    if (spuriousPackets === 0) return;
    this.reorder.onSpurious(now, spuriousPackets, overtaken, this.rtt.smoothed, this.delay.jitter);
    this.#settings.controller.onSpurious(spuriousPackets);
  }

  /** Learns from the newest report; one that was overtaken teaches nothing. */
  #takeReport(now: Micros, ack: Ack, latest: number): void {
    const sentAt = this.sent.sentAt(latest);
    this.rtt.update(now, now - sentAt, ack.delay);
    this.delay.update(now, this.#settings.delayOrigin.relative(sentAt, ack.receivedAt));
    this.#sampler.note(ack, latest, this.sent, this.delay);
  }

  #countLosses(now: Micros): void {
    const settled = this.#settled;
    this.#pathMtu.onSettled(now, settled);
    this.lostPackets += settled.lostPackets;
    this.#lostMeter.add(now, settled.lostPackets);
    if (settled.lostPackets === 0) return;
    this.#settings.controller.onLost(now, settled.lostBytes, settled.lostPackets, settled.lostSentAt);
  }

  /** Declares lost what has been unacknowledged for too long. */
  handleTimeout(now: Micros): void {
    if (now >= this.deadline()) this.#loseUpTo(now, now - this.#timeout(), this.#settings.deliveries);
  }

  /** Declares everything in flight lost; `deliveries` takes what was kept with it. */
  abandon(now: Micros, deliveries: DeliveryListener = this.#settings.deliveries): void {
    this.#loseUpTo(now, now, deliveries);
  }

  #loseUpTo(now: Micros, before: Micros, deliveries: DeliveryListener): void {
    applyTimeout(now, this.sent, before, deliveries, this.#settled);
    if (this.#settled.lostPackets > 0) this.#countLosses(now);
  }

  /** Returns when the oldest datagram in flight times out; `NEVER` without one. */
  deadline(): Micros {
    const { sent } = this;
    return sent.packetsInFlight === 0 ? NEVER : sent.sentAt(sent.firstInFlight) + this.#timeout();
  }

  /** Returns the timeout; with `gap` a short one, as it detects only losses of the last datagrams before a pause. */
  #timeout(): Micros {
    const { smoothed, deviation } = this.rtt;
    if (this.#settings.lossDetection === "gap") {
      return smoothed + Math.max(4 * deviation, this.reorder.window(0), TAIL_SLACK) + LONGEST_ACK_DELAY;
    }
    return SENDER_TIMEOUT * Math.max(smoothed + deviation, SENDER_TIMEOUT_RTT);
  }

  /** Returns the share of datagrams lost over about the last second, 0 to 1. */
  lossShare(now: Micros): number {
    const lost = this.#lostMeter.read(now);
    const total = lost + this.#ackedMeter.read(now);
    return total < 1 ? 0 : lost / total;
  }
}
