/**
 * New Reno as the dissertation describes it (3.2.3): slow start adds what is acknowledged; the first loss ends it; a loss halves the window,
 * once for all that was sent before the halving (RFC 6582's recovery); congestion avoidance adds one datagram for every
 * window acknowledged. Pacing spreads the window over somewhat less than a round-trip time, so that no batch overruns a short queue.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { AckSample, CongestionController } from "./controller.ts";

const INITIAL_DATAGRAMS = 10;
const MINIMUM_DATAGRAMS = 2;
const SLOW_START_PACING = 2;
const AVOIDANCE_PACING = 1.25;

export class NewReno implements CongestionController {
  readonly name = "newreno";
  limit = Number.POSITIVE_INFINITY;
  window: number;
  #threshold = Number.POSITIVE_INFINITY;
  #recoveryStart: Micros = -1;
  #smoothedRtt: Micros = 0;
  readonly #datagram: number;

  /** @param datagram bytes of a full datagram on this path */
  constructor(datagram: number) {
    this.#datagram = datagram;
    this.window = INITIAL_DATAGRAMS * datagram;
  }

  get isSlowStart(): boolean {
    return this.window < this.#threshold;
  }

  get pacingRate(): number {
    if (this.#smoothedRtt === 0) return this.limit;
    const gain = this.isSlowStart ? SLOW_START_PACING : AVOIDANCE_PACING;
    return Math.min(this.limit, (gain * this.window * MICROS_PER_SECOND) / this.#smoothedRtt);
  }

  get mode(): string {
    return this.isSlowStart ? "slow start" : "avoidance";
  }

  readonly estimate = 0;
  readonly isSettled = true;
  readonly randomLoss = 0;

  onSent(): void {}

  onAcked(sample: AckSample): void {
    this.#smoothedRtt = sample.smoothedRtt;
    // A window that was not filled says nothing about the path (RFC 9002 section 7.8).
    if (sample.sentAt <= this.#recoveryStart || sample.priorInFlight * 2 < this.window) return;
    this.window += this.isSlowStart ? sample.bytes : (this.#datagram * sample.bytes) / this.window;
  }

  onLost(now: Micros, _bytes: number, _packets: number, sentAt: Micros): void {
    if (sentAt <= this.#recoveryStart) return;
    this.#recoveryStart = now;
    this.window = Math.max(this.window / 2, MINIMUM_DATAGRAMS * this.#datagram);
    this.#threshold = this.window;
  }

  onSpurious(): void {}

  onIdleRestart(): void {
    this.window = Math.min(this.window, INITIAL_DATAGRAMS * this.#datagram);
  }
}
