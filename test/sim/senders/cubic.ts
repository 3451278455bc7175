/**
 * CUBIC with HyStart as Linux runs it (net/ipv4/tcp_cubic.c, RFC 9438), in segments and microseconds:
 * beta 717/1024, C 0.4, fast convergence, Reno-friendly region, both HyStart detectors without pacing,
 * and the growth of at least one segment in 20 while no loss was seen.
 */
import { MICROS_PER_SECOND, type Micros } from "../../../src/clock.ts";
import type { AckFacts, InnerControl } from "./inner-control.ts";

const BETA = 717 / 1024;
const C = 410 / 1024;
const RENO_SCALE = 15 / 8;
const HYSTART_LOW_WINDOW = 16;
const HYSTART_MIN_SAMPLES = 8;
const HYSTART_ACK_DELTA: Micros = 2_000;
const HYSTART_ACK_DELAY: Micros = 1_000;
const HYSTART_DELAY_MIN: Micros = 4_000;
const HYSTART_DELAY_MAX: Micros = 16_000;
const INFINITE_THRESHOLD = 0x7fffffff;

export class Cubic implements InnerControl {
  readonly name = "cubic";
  readonly ownsWindow = false;
  readonly pacingRate = Number.POSITIVE_INFINITY;
  window: number;
  threshold = INFINITE_THRESHOLD;
  /** Window when HyStart ended slow start; 0 if it did not. */
  hystartExit = 0;
  #windowCount = 0;
  #count = 0;
  #lastMax = 0;
  #lastWindow = 0;
  #lastTime: Micros = -1e9;
  #origin = 0;
  #k = 0;
  #minDelay: Micros = 0;
  #epochStart: Micros = -1;
  #ackCount = 0;
  #renoWindow = 0;
  // HyStart
  #roundStart: Micros = 0;
  #lastAck: Micros = 0;
  #roundEnd = -1;
  #roundRtt = Number.POSITIVE_INFINITY;
  #samples = 0;
  #found = false;

  constructor(initialWindow = 10) {
    this.window = initialWindow;
  }

  get inSlowStart(): boolean {
    return this.window < this.threshold;
  }

  onAck(facts: AckFacts): void {
    if (facts.rtt < 0) return;
    if (this.#epochStart >= 0 && facts.now - this.#epochStart < MICROS_PER_SECOND) return;
    const delay = Math.max(1, facts.rtt);
    if (this.#minDelay === 0 || this.#minDelay > delay) this.#minDelay = delay;
    if (!this.#found && this.inSlowStart) this.#hystart(facts, delay);
  }

  grow(facts: AckFacts): void {
    if (!facts.isWindowLimited) return;
    let acked = facts.acked;
    if (this.inSlowStart) {
      const room = Math.min(acked, this.threshold - this.window);
      this.window += room;
      acked -= room;
      if (acked <= 0) return;
    }
    this.#update(facts.now, acked);
    this.#increase(acked);
  }

  reduce(): number {
    this.#epochStart = -1;
    this.#lastMax = this.window < this.#lastMax ? (this.window * (1 + BETA)) / 2 : this.window;
    return Math.max(2, Math.floor(this.window * BETA));
  }

  onTimeout(): void {
    this.#count = 0;
    this.#lastMax = 0;
    this.#lastWindow = 0;
    this.#origin = 0;
    this.#k = 0;
    this.#minDelay = 0;
    this.#epochStart = -1;
    this.#ackCount = 0;
    this.#renoWindow = 0;
    this.#found = false;
    this.#roundEnd = -1;
  }

  onRestart(now: Micros, idle: Micros): void {
    if (this.#epochStart >= 0 && idle > 0) this.#epochStart = Math.min(now, this.#epochStart + idle);
  }

  #hystart(facts: AckFacts, delay: Micros): void {
    if (facts.una > this.#roundEnd) {
      this.#roundStart = facts.now;
      this.#lastAck = facts.now;
      this.#roundEnd = facts.nextSequence;
      this.#roundRtt = Number.POSITIVE_INFINITY;
      this.#samples = 0;
    }
    if (this.window < HYSTART_LOW_WINDOW) return;
    if (facts.now - this.#lastAck <= HYSTART_ACK_DELTA) {
      this.#lastAck = facts.now;
      if (facts.now - this.#roundStart > (this.#minDelay + HYSTART_ACK_DELAY) / 2) this.#leaveSlowStart();
    }
    this.#roundRtt = Math.min(this.#roundRtt, delay);
    if (this.#samples < HYSTART_MIN_SAMPLES) {
      this.#samples++;
      return;
    }
    const margin = Math.min(HYSTART_DELAY_MAX, Math.max(HYSTART_DELAY_MIN, this.#minDelay / 8));
    if (this.#roundRtt > this.#minDelay + margin) this.#leaveSlowStart();
  }

  #leaveSlowStart(): void {
    this.#found = true;
    this.threshold = this.window;
    this.hystartExit = this.window;
  }

  /** Sets `#count`, the acknowledged segments for which the window grows by one. */
  #update(now: Micros, acked: number): void {
    this.#ackCount += acked;
    const window = this.window;
    if (this.#lastWindow === window && now - this.#lastTime <= MICROS_PER_SECOND / 32) return;
    if (this.#epochStart < 0 || now - this.#lastTime >= 1_000) this.#follow(now, acked, window);
    const delta = Math.floor(window * RENO_SCALE);
    while (this.#ackCount > delta) {
      this.#ackCount -= delta;
      this.#renoWindow++;
    }
    if (this.#renoWindow > window) this.#count = Math.min(this.#count, window / (this.#renoWindow - window));
    this.#count = Math.max(2, this.#count);
  }

  #follow(now: Micros, acked: number, window: number): void {
    this.#lastWindow = window;
    this.#lastTime = now;
    if (this.#epochStart < 0) {
      this.#epochStart = now;
      this.#ackCount = acked;
      this.#renoWindow = window;
      this.#k = this.#lastMax <= window ? 0 : cubeRoot((this.#lastMax - window) / C);
      this.#origin = Math.max(window, this.#lastMax);
    }
    const t = (now + this.#minDelay - this.#epochStart) / MICROS_PER_SECOND - this.#k;
    const target = Math.floor(this.#origin + C * t * t * t);
    this.#count = target > window ? Math.floor(window / (target - window)) : 100 * window;
    if (this.#lastMax === 0) this.#count = Math.min(this.#count, 20);
  }

  #increase(acked: number): void {
    if (this.#windowCount >= this.#count) {
      this.#windowCount = 0;
      this.window++;
    }
    this.#windowCount += acked;
    if (this.#windowCount < this.#count) return;
    const steps = Math.floor(this.#windowCount / this.#count);
    this.#windowCount -= steps * this.#count;
    this.window += steps;
  }
}

/** By Newton's method from above: Math.cbrt rounds differently on other systems, and a seed must replay on all. */
function cubeRoot(x: number): number {
  let root = Math.max(1, x);
  for (;;) {
    const better = (2 * root + x / (root * root)) / 3;
    if (!(better < root)) return root;
    root = better;
  }
}
