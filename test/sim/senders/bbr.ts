/**
 * BBR version 1 as Linux runs it (net/ipv4/tcp_bbr.c), without its long-term (policer) estimate: startup at 2.89, drain,
 * the eight-phase gain cycle, a probe of the minimum RTT every 10 s, pacing at 99 %, compensation of aggregated ACKs.
 */
import { MICROS_PER_SECOND, type Micros } from "../../../src/clock.ts";
import type { SeededRandom } from "../../support/random.ts";
import type { AckFacts, InnerControl } from "./inner-control.ts";

const HIGH_GAIN = 2.885;
const WINDOW_GAIN = 2;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const BANDWIDTH_ROUNDS = 10;
const MIN_RTT_WINDOW: Micros = 10 * MICROS_PER_SECOND;
const PROBE_RTT_TIME: Micros = 200_000;
const MIN_WINDOW = 4;
const PACING_MARGIN = 0.99;
const MAX_AGGREGATION: Micros = 100_000;
const SEGMENT_BYTES = 1448;

export type BbrMode = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

export class Bbr implements InnerControl {
  readonly name = "bbr";
  readonly ownsWindow = true;
  window: number;
  threshold = 0x7fffffff;
  pacingRate: number;
  mode: BbrMode = "startup";
  minRtt: Micros = Number.POSITIVE_INFINITY;
  /** Largest delivery rate of each of the last rounds, segments per microsecond. */
  readonly #rounds = new Float64Array(BANDWIDTH_ROUNDS);
  #round = 0;
  #roundStart = false;
  #nextRoundDelivered = 0;
  #minRttTime: Micros = 0;
  #probeRttDone: Micros = 0;
  #probeRttRoundDone = false;
  #pacingGain = HIGH_GAIN;
  #windowGain = HIGH_GAIN;
  #cycleIndex = 0;
  #cycleTime: Micros = 0;
  #fullBandwidth = 0;
  #fullCount = 0;
  #isFull = false;
  #hasRtt = false;
  #wasRepairing = false;
  #isConserving = false;
  #priorWindow = 0;
  #idleRestart = false;
  #epochTime: Micros = 0;
  #epochAcked = 0;
  readonly #extraAcked = new Float64Array(2);
  #extraIndex = 0;
  #extraRounds = 0;

  readonly #random: SeededRandom;

  constructor(random: SeededRandom, initialWindow = 10) {
    this.#random = random;
    this.window = initialWindow;
    this.pacingRate = (HIGH_GAIN * initialWindow * SEGMENT_BYTES) / 1_000;
  }

  /** Estimated bottleneck, segments per microsecond. */
  get bandwidth(): number {
    let max = 0;
    for (const rate of this.#rounds) max = Math.max(max, rate);
    return max;
  }

  onAck(facts: AckFacts): void {
    this.#updateBandwidth(facts);
    this.#updateAggregation(facts);
    this.#updateCycle(facts);
    this.#checkFull(facts);
    this.#checkDrain(facts);
    this.#updateMinRtt(facts);
    this.#updateGains();
    this.#setPacing(facts);
    this.#setWindow(facts);
  }

  grow(): void {}

  reduce(): number {
    this.#savePriorWindow();
    return this.threshold;
  }

  onTimeout(): void {
    this.#fullBandwidth = 0;
    this.#roundStart = true;
  }

  onRestart(now: Micros): void {
    this.#idleRestart = true;
    this.#epochTime = now;
    this.#epochAcked = 0;
    if (this.mode === "probe-bandwidth") this.#setRate(1);
  }

  #savePriorWindow(): void {
    if (!this.#wasRepairing && this.mode !== "probe-rtt") this.#priorWindow = this.window;
    else this.#priorWindow = Math.max(this.#priorWindow, this.window);
  }

  #updateBandwidth(facts: AckFacts): void {
    this.#roundStart = false;
    if (facts.interval <= 0) return;
    if (facts.priorDelivered >= this.#nextRoundDelivered) {
      this.#nextRoundDelivered = facts.totalDelivered;
      this.#round++;
      this.#rounds[this.#round % BANDWIDTH_ROUNDS] = 0;
      this.#roundStart = true;
      this.#isConserving = false;
    }
    const rate = facts.delivered / facts.interval;
    if (facts.isAppLimited && rate < this.bandwidth) return;
    const slot = this.#round % BANDWIDTH_ROUNDS;
    this.#rounds[slot] = Math.max(this.#rounds[slot] as number, rate);
  }

  #updateAggregation(facts: AckFacts): void {
    if (facts.interval <= 0 || facts.acked <= 0) return;
    if (this.#roundStart && ++this.#extraRounds >= 5) {
      this.#extraRounds = 0;
      this.#extraIndex = 1 - this.#extraIndex;
      this.#extraAcked[this.#extraIndex] = 0;
    }
    let expected = this.bandwidth * (facts.now - this.#epochTime);
    if (this.#epochAcked <= expected) {
      this.#epochAcked = 0;
      this.#epochTime = facts.now;
      expected = 0;
    }
    this.#epochAcked += facts.acked;
    const extra = Math.min(this.#epochAcked - expected, this.window);
    if (extra > (this.#extraAcked[this.#extraIndex] as number)) this.#extraAcked[this.#extraIndex] = extra;
  }

  #updateCycle(facts: AckFacts): void {
    if (this.mode !== "probe-bandwidth") return;
    const isFullLength = facts.now - this.#cycleTime > this.minRtt;
    const gain = this.#pacingGain;
    let isOver = isFullLength;
    if (gain > 1) isOver &&= facts.newlyLost > 0 || facts.priorInFlight >= this.#target(gain);
    else if (gain < 1) isOver ||= facts.priorInFlight <= this.#target(1);
    if (!isOver) return;
    this.#cycleIndex = (this.#cycleIndex + 1) % CYCLE.length;
    this.#cycleTime = facts.now;
  }

  #checkFull(facts: AckFacts): void {
    if (this.#isFull || !this.#roundStart || facts.isAppLimited) return;
    const bandwidth = this.bandwidth;
    if (bandwidth >= this.#fullBandwidth * 1.25) {
      this.#fullBandwidth = bandwidth;
      this.#fullCount = 0;
      return;
    }
    this.#isFull = ++this.#fullCount >= 3;
  }

  #checkDrain(facts: AckFacts): void {
    if (this.mode === "startup" && this.#isFull) {
      this.mode = "drain";
      this.threshold = this.#target(1);
    }
    if (this.mode === "drain" && facts.inFlight <= this.#target(1)) this.#enterCycle(facts.now);
  }

  #enterCycle(now: Micros): void {
    this.mode = "probe-bandwidth";
    // Any phase but the draining one, as the kernel chooses.
    this.#cycleIndex = (CYCLE.length - this.#random.below(7)) % CYCLE.length;
    this.#cycleTime = now;
  }

  #updateMinRtt(facts: AckFacts): void {
    const isExpired = facts.now > this.#minRttTime + MIN_RTT_WINDOW;
    if (facts.rtt >= 0 && (facts.rtt <= this.minRtt || isExpired)) {
      this.minRtt = facts.rtt;
      this.#minRttTime = facts.now;
    }
    if (isExpired && !this.#idleRestart && this.mode !== "probe-rtt") {
      this.#savePriorWindow();
      this.mode = "probe-rtt";
      this.#probeRttDone = 0;
    }
    if (this.mode === "probe-rtt") this.#probeRtt(facts);
    if (facts.acked > 0) this.#idleRestart = false;
  }

  #probeRtt(facts: AckFacts): void {
    if (this.#probeRttDone === 0) {
      if (facts.inFlight > MIN_WINDOW) return;
      this.#probeRttDone = facts.now + PROBE_RTT_TIME;
      this.#probeRttRoundDone = false;
      this.#nextRoundDelivered = facts.totalDelivered;
      return;
    }
    if (this.#roundStart) this.#probeRttRoundDone = true;
    if (!this.#probeRttRoundDone || facts.now <= this.#probeRttDone) return;
    this.#minRttTime = facts.now;
    this.window = Math.max(this.window, this.#priorWindow);
    if (this.#isFull) this.#enterCycle(facts.now);
    else this.mode = "startup";
  }

  #updateGains(): void {
    if (this.mode === "startup") {
      this.#pacingGain = HIGH_GAIN;
      this.#windowGain = HIGH_GAIN;
    } else if (this.mode === "drain") {
      this.#pacingGain = 1 / HIGH_GAIN;
      this.#windowGain = HIGH_GAIN;
    } else if (this.mode === "probe-bandwidth") {
      this.#pacingGain = CYCLE[this.#cycleIndex] as number;
      this.#windowGain = WINDOW_GAIN;
    } else {
      this.#pacingGain = 1;
      this.#windowGain = 1;
    }
  }

  #setPacing(facts: AckFacts): void {
    if (!this.#hasRtt && facts.smoothedRtt > 0) {
      this.#hasRtt = true;
      this.pacingRate = (HIGH_GAIN * this.window * SEGMENT_BYTES * PACING_MARGIN) / facts.smoothedRtt;
    }
    this.#setRate(this.#pacingGain);
  }

  #setRate(gain: number): void {
    const rate = gain * this.bandwidth * SEGMENT_BYTES * PACING_MARGIN;
    if (rate > 0 && (this.#isFull || rate > this.pacingRate)) this.pacingRate = rate;
  }

  #setWindow(facts: AckFacts): void {
    if (facts.acked > 0 && !this.#recoverOrRestore(facts)) {
      const extra = this.#isFull ? Math.max(this.#extraAcked[0] as number, this.#extraAcked[1] as number) : 0;
      const target = this.#target(this.#windowGain, Math.min(extra, this.bandwidth * MAX_AGGREGATION));
      if (this.#isFull) this.window = Math.min(this.window + facts.acked, target);
      else if (this.window < target || facts.totalDelivered < 10) this.window += facts.acked;
      this.window = Math.max(this.window, MIN_WINDOW);
    }
    if (this.mode === "probe-rtt") this.window = Math.min(this.window, MIN_WINDOW);
  }

  /** @returns true while the first round of recovery keeps the number of packets */
  #recoverOrRestore(facts: AckFacts): boolean {
    if (facts.newlyLost > 0) this.window = Math.max(1, this.window - facts.newlyLost);
    if (facts.isRepairing && !this.#wasRepairing) {
      this.#isConserving = true;
      this.#nextRoundDelivered = facts.totalDelivered;
      this.window = facts.inFlight + facts.acked;
    } else if (!facts.isRepairing && this.#wasRepairing) {
      this.window = Math.max(this.window, this.#priorWindow);
      this.#isConserving = false;
    }
    this.#wasRepairing = facts.isRepairing;
    if (this.#isConserving) this.window = Math.max(this.window, facts.inFlight + facts.acked);
    return this.#isConserving;
  }

  /** Segments in flight for the given gain, with room for bursts in both hosts. */
  #target(gain: number, extra = 0): number {
    if (this.minRtt === Number.POSITIVE_INFINITY) return 10;
    const burst = Math.max(2, Math.min(45, Math.floor((this.pacingRate * 1_000) / SEGMENT_BYTES)));
    let window = Math.ceil(gain * this.bandwidth * this.minRtt + extra) + 3 * burst;
    window += window % 2;
    return this.mode === "probe-bandwidth" && this.#cycleIndex === 0 ? window + 2 : window;
  }
}
