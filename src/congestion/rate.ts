/**
 * The default controller: finds the rate of a path by itself and keeps the path's queue short. It sends at the rate it believes in, asks now
 * and then with a little more for one round whether there is more, and takes back what turns into queue. It believes arrivals,
 * by the receiver's clock, and delay; loss alone only where it follows what is sent (a policer, a short queue).
 * After C4 (draft-huitema-ccwg-c4) and BBR (draft-ietf-ccwg-bbr); reasons in docs/decisions/0004-rate-controller.md.
 *
 *     startup ─▶ drain ─▶ cruise ─▶ push ─▶ recover ─▶ cruise
 *        ▲                  │ queue            │ more arrived: push harder; three times: startup
 *        └──────────────────▼──────────────────┘
 *                         drain (rate cut to what arrives), or a look whether the queue is ours
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { AckSample, CongestionController } from "./controller.ts";
import { type Round, Rounds } from "./rounds.ts";

type Mode = "startup" | "drain" | "cruise" | "push" | "recover" | "yield";

const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.5;
const CRUISE_GAIN = 0.99;
const PUSH_GAIN = 1 + 1 / 16;
const HARD_PUSH_GAIN = 1.25;
const RECOVER_GAIN = 15 / 16;
const YIELD_GAIN = 0.75;

const INITIAL_DATAGRAMS = 10;
const MIN_DATAGRAMS = 4;
/** Fewer datagrams than this measure no rate. */
const MIN_TELLING = 6;
/** A round is at least this long, so that its rates mean something on short paths. */
const MIN_ROUND: Micros = 10_000;
const MIN_CRUISE: Micros = 100_000;
const MAX_CRUISE: Micros = 1_000_000;
/** Standing queue that is put up with, before noise is allowed for. */
const QUEUE_TARGET: Micros = 3_000;
/** Loss that is taken for the path's own, at most, and what must come on top to be ours. */
const MAX_OWN_LOSS = 0.08;
const EXCESS_LOSS = 0.02;

export class RateController implements CongestionController {
  readonly name = "rate";
  readonly #datagram: number;
  readonly #rounds = new Rounds();
  #mode: Mode = "startup";
  /** Bytes per second the path is believed to carry; 0 before the first round was judged. */
  #rate = 0;
  #gain = STARTUP_GAIN;
  #pushGain = PUSH_GAIN;
  #successes = 0;
  #stalled = 0;
  #lastGrowth = 0;
  #modeSince: Micros = 0;
  #cruiseFor: Micros = MIN_CRUISE;
  #judgedInMode = 0;
  #sentInMode = 0;
  #ownLoss = 0;
  #lossyRounds = 0;
  #queueBefore = 0;
  #rtt: Micros = 0;
  #minRtt: Micros = 0;
  #jitter: Micros = 0;
  #queue: Micros = 0;
  #wantsRebase = false;

  /** @param datagram bytes of a full datagram */
  constructor(datagram: number) {
    this.#datagram = datagram;
  }

  /** Bytes per second, 0 while unknown. */
  get estimate(): number {
    return this.#rate;
  }

  get mode(): string {
    return this.#mode;
  }

  get wantsRebase(): boolean {
    return this.#wantsRebase;
  }

  get pacingRate(): number {
    if (this.#rate > 0) return this.#gain * this.#rate;
    if (this.#minRtt === 0) return Number.POSITIVE_INFINITY;
    return (STARTUP_GAIN * INITIAL_DATAGRAMS * this.#datagram * MICROS_PER_SECOND) / this.#minRtt;
  }

  /** Only a bound: the rate is what limits. Twice what the path holds, and room for late feedback and jitter. */
  get window(): number {
    if (this.#rate === 0) return 2 * INITIAL_DATAGRAMS * this.#datagram;
    const held = 2 * this.#minRtt + 4 * this.#jitter + QUEUE_TARGET + MIN_ROUND;
    const gain = this.#mode === "startup" ? 1.5 : 1;
    return Math.max(MIN_DATAGRAMS * this.#datagram, (gain * this.#rate * held) / MICROS_PER_SECOND);
  }

  onSent(now: Micros, number: number, bytes: number): void {
    this.#sentInMode++;
    this.#rounds.onSent(now, number, bytes, this.#roundLength(), this.#gain, this.pacingRate);
  }

  onLost(_now: Micros, bytes: number): void {
    this.#rounds.onLost(bytes);
  }

  onAcked(sample: AckSample): void {
    this.#rtt = sample.smoothedRtt;
    this.#minRtt = sample.minRtt;
    this.#jitter = sample.jitter;
    this.#wantsRebase = false;
    const round = this.#rounds.onReport(sample.largest, sample.receivedBytes, sample.receivedAt, sample.delay);
    if (round) this.#judge(sample.now, round, round.delay - sample.baseDelay);
    if (this.#rate === 0 && sample.bytes > 0) this.#modeSince = sample.now;
  }

  onIdleRestart(now: Micros): void {
    this.#rounds.reset();
    this.#rate /= 2;
    this.#enter(now, this.#rate === 0 ? "startup" : "recover", this.#rate === 0 ? STARTUP_GAIN : 1);
    this.#pushGain = HARD_PUSH_GAIN;
  }

  /** @param queue smallest delay of the round above the base, µs */
  #judge(now: Micros, round: Round, queue: Micros): void {
    this.#queue = queue;
    this.#judgedInMode++;
    // Did the round really try? What was not sent cannot arrive.
    const isTried = round.sent > 0.9 * round.target && round.datagrams >= MIN_TELLING;
    const own = Math.min(this.#ownLoss, MAX_OWN_LOSS);
    const arrived = round.arrived / (1 - Math.min(round.loss, own + EXCESS_LOSS));
    if (this.#mode === "startup") return this.#judgeStartup(now, round, arrived, isTried);
    if (round.gain <= 1) this.#learnLoss(round);
    if (this.#isExcessLoss(round, own)) return this.#cut(now, round.arrived);
    if (this.#mode === "drain") return this.#judgeDrain(now);
    if (this.#mode === "yield") return this.#judgeYield(now);
    if (isTried && queue > this.#threshold()) return this.#judgeQueue(now, round, arrived);
    if (round.gain > 1) return this.#judgePush(now, round, arrived);
    if (this.#mode === "recover") this.#cruise(now);
    else if (this.#mode === "cruise" && isTried && now - this.#modeSince >= this.#cruiseFor) this.#push(now);
    else if (this.#mode === "push" && this.#isPushDone(now)) this.#enter(now, "recover", RECOVER_GAIN);
  }

  #judgeStartup(now: Micros, round: Round, arrived: number, isTried: boolean): void {
    this.#rate = Math.max(this.#rate, Math.min(arrived, round.sent));
    if (this.#rate > 1.25 * this.#lastGrowth) {
      this.#lastGrowth = this.#rate;
      this.#stalled = 0;
    } else if (isTried) this.#stalled++;
    const isQueueing = this.#queue > Math.max(8_000, this.#minRtt / 4, 3 * this.#jitter);
    const isLossy = round.loss > 0.04 && isTried;
    if (this.#stalled >= 2 || isQueueing || isLossy) {
      if (isQueueing || isLossy) this.#rate = Math.min(this.#rate, Math.max(arrived, this.#rate / 2));
      this.#drain(now);
    }
  }

  #judgeDrain(now: Micros): void {
    if (this.#queue <= this.#threshold() / 2 || this.#judgedInMode > 3) this.#cruise(now);
  }

  /** A queue stands although no more was sent than is believed to pass. */
  #judgeQueue(now: Micros, round: Round, arrived: number): void {
    if (arrived < 0.97 * round.sent || arrived < 0.95 * this.#rate) return this.#cut(now, arrived);
    this.#queueBefore = this.#queue;
    this.#enter(now, "yield", YIELD_GAIN);
  }

  /** We sent less for a round: a queue of ours has shrunk by a part of it, another's has not. */
  #judgeYield(now: Micros): void {
    if (this.#judgedInMode < 2) return;
    const shouldShrink = (1 - YIELD_GAIN) * this.#roundLength();
    if (this.#queue > this.#queueBefore - shouldShrink / 4) this.#wantsRebase = true;
    this.#cruise(now);
  }

  #judgePush(now: Micros, round: Round, arrived: number): void {
    const growth = arrived / this.#rate - 1;
    const isSuccess = growth >= (round.gain - 1) / 4;
    if (isSuccess) this.#rate = Math.min(arrived, round.sent);
    this.#successes = isSuccess ? this.#successes + 1 : 0;
    this.#pushGain = isSuccess ? HARD_PUSH_GAIN : PUSH_GAIN;
    if (this.#successes >= 3) {
      this.#successes = 0;
      this.#lastGrowth = 0;
      this.#stalled = 0;
      this.#enter(now, "startup", 2);
    } else if (isSuccess) this.#push(now);
    else if (this.#mode !== "recover") this.#enter(now, "recover", RECOVER_GAIN);
    else this.#cruise(now);
  }

  /** A push is one round, and enough datagrams to tell. */
  #isPushDone(now: Micros): boolean {
    return this.#sentInMode >= 2 * MIN_TELLING && now - this.#modeSince >= this.#roundLength();
  }

  #learnLoss(round: Round): void {
    this.#ownLoss += (round.loss < this.#ownLoss ? 1 / 4 : 1 / 16) * (round.loss - this.#ownLoss);
  }

  /** Loss that follows what is sent, two rounds in a row. */
  #isExcessLoss(round: Round, own: number): boolean {
    this.#lossyRounds =
      round.loss - own > EXCESS_LOSS + 2 * Math.sqrt((own * this.#datagram) / this.#bytesOf(round))
        ? this.#lossyRounds + 1
        : 0;
    return this.#lossyRounds >= 2;
  }

  #bytesOf(round: Round): number {
    return Math.max(this.#datagram, (round.sent * round.duration) / MICROS_PER_SECOND);
  }

  #cut(now: Micros, arrived: number): void {
    this.#lossyRounds = 0;
    this.#successes = 0;
    this.#pushGain = PUSH_GAIN;
    this.#rate = Math.max(
      Math.min(this.#rate, arrived),
      (MIN_DATAGRAMS * this.#datagram * MICROS_PER_SECOND) / Math.max(this.#rtt, MIN_ROUND) / 2,
    );
    this.#drain(now);
  }

  #drain(now: Micros): void {
    this.#enter(now, "drain", DRAIN_GAIN);
  }

  #cruise(now: Micros): void {
    this.#cruiseFor = Math.min(MAX_CRUISE, Math.max(MIN_CRUISE, 7 * this.#roundLength()));
    this.#enter(now, "cruise", CRUISE_GAIN);
  }

  #push(now: Micros): void {
    this.#enter(now, "push", this.#pushGain);
  }

  #enter(now: Micros, mode: Mode, gain: number): void {
    this.#mode = mode;
    this.#gain = gain;
    this.#modeSince = now;
    this.#judgedInMode = 0;
    this.#sentInMode = 0;
  }

  #threshold(): Micros {
    return QUEUE_TARGET + Math.max(4_000, 3 * this.#jitter, this.#minRtt / 8);
  }

  #roundLength(): Micros {
    return Math.max(MIN_ROUND, this.#minRtt);
  }
}
