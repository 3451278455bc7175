/**
 * The default controller: it estimates the capacity of a path and keeps the path's queue short. It sends at the estimated rate, probes now
 * and then for one round with a little more, and takes back what turns into queue. Its signals are arrivals, by the receiver's
 * clock, and delay; loss counts only where it grows with the rate (a policer, a short queue).
 * After C4 (draft-huitema-ccwg-c4) and BBR (draft-ietf-ccwg-bbr); reasons in docs/decisions/0004-rate-controller.md.
 *
 *     startup ─▶ drain ─▶ cruise ─▶ push ─▶ recover ─▶ cruise
 *        ▲                  │ queue            │ more arrived: push harder; three times: startup
 *        └──────────────────▼──────────────────┘
 *                         drain (rate cut to what arrives), or a look whether the queue is ours
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import { ArrivalMeter, type Span } from "./arrival-meter.ts";
import { BaseDelay } from "./base-delay.ts";
import type { AckSample, CongestionController } from "./controller.ts";
import { type Round, Rounds } from "./rounds.ts";

type Mode = "startup" | "drain" | "cruise" | "push" | "recover" | "yield";

const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.5;
/** The gentlest gain that drains a small queue; `SLIGHT_YIELD_GAIN` is the gentlest that shows whether the queue is ours. */
const SLIGHT_DRAIN_GAIN = 0.9;
const CRUISE_GAIN = 0.99;
const PUSH_GAIN = 1 + 1 / 16;
const HARD_PUSH_GAIN = 1.25;
const RECOVER_GAIN = 15 / 16;
const YIELD_GAIN = 0.75;
const SLIGHT_YIELD_GAIN = 0.85;

/** Number of rounds after which a yield is judged. */
const YIELD_ROUNDS = 2;

const INITIAL_DATAGRAMS = 10;
const MIN_DATAGRAMS = 4;
/** Least number of datagrams in a round that measure its rate. */
const MIN_TELLING = 6;
/** Least length of a round, µs, so that its rates mean something on short paths. */
const MIN_ROUND: Micros = 10_000;
const MIN_CRUISE: Micros = 100_000;
const MAX_CRUISE: Micros = 1_000_000;
/** Standing queue that is tolerated, µs, on top of what noise explains. */
const QUEUE_TARGET: Micros = 2_000;
/** Number of acknowledgements before which the jitter is unknown and only a long queue counts as one. */
const FEW_SAMPLES = 32;
/** Largest jitter that counts as none, µs. */
const CLEAN: Micros = 1_000;
/** Largest share that may count as random loss, and what must come on top of that loss to be congestion. */
const MAX_OWN_LOSS = 0.08;
const EXCESS_LOSS = 0.02;
/** Loss tolerated in startup on top of random loss: overshooting shows as queue first. */
const STARTUP_LOSS = 0.1;
/** Number of datagrams over which loss is judged. */
const LOSS_SAMPLE = 200;
/** Least number of datagrams in a round that shows the effect of a subtle push, drain or yield. */
const SUBTLE_DATAGRAMS = 48;

export class RateController implements CongestionController {
  readonly name = "rate";
  limit = Number.POSITIVE_INFINITY;
  readonly #datagram: number;
  readonly #rounds = new Rounds();
  readonly #arrivals = new ArrivalMeter();
  #mode: Mode = "startup";
  /** Estimated capacity, bytes per second; 0 before the first round was judged. */
  #rate = 0;
  #gain = STARTUP_GAIN;
  #successes = 0;
  #stalled = 0;
  #lastGrowth = 0;
  #modeSince: Micros = 0;
  #cruiseFor: Micros = MIN_CRUISE;
  #judgedInMode = 0;
  #sentInMode = 0;
  #randomLoss = 0;
  #lossyRounds = 0;
  /** Number of acknowledgements so far. */
  #samples = 0;
  /** Number of spans in a row that showed a queue. */
  #queueing = 0;
  #queueBefore = 0;
  /** Arrival rate of the last round, bytes per second. */
  #outRateBefore = 0;
  #rtt: Micros = 0;
  /** Round-trip time without our own queue, µs. */
  #quietRtt: Micros = 0;
  #jitter: Micros = 0;
  #queue: Micros = 0;
  #ownLossKnown = 0;
  readonly #base = new BaseDelay();
  #lossDatagrams = 0;
  #lossLost = 0;

  /** @param datagram bytes of a full datagram */
  constructor(datagram: number) {
    this.#datagram = datagram;
  }

  /** Estimated capacity, bytes per second; 0 while unknown. */
  get estimate(): number {
    return this.#rate;
  }

  get isSettled(): boolean {
    return this.#mode !== "startup";
  }

  /** Share of datagrams that the path loses at any rate, 0 to 1. */
  get randomLoss(): number {
    return this.#randomLoss;
  }

  get mode(): string {
    return this.#mode;
  }

  get pacingRate(): number {
    if (this.#rate > 0) return Math.min(this.limit, Math.max(this.#floor(), this.#gain * this.#rate));
    return this.#rtt === 0 ? this.limit : Math.min(this.limit, STARTUP_GAIN * this.#initialRate());
  }

  /** Bound on bytes in flight, for safety only, as the rate limits: twice what the path holds, and room for late feedback and jitter. */
  get window(): number {
    if (this.#rate === 0) return 2 * INITIAL_DATAGRAMS * this.#datagram;
    const held = 2 * this.#quietRtt + 4 * this.#jitter + QUEUE_TARGET + MIN_ROUND;
    return Math.max(MIN_DATAGRAMS * this.#datagram, (this.#rate * held) / MICROS_PER_SECOND);
  }

  onSent(now: Micros, number: number): void {
    this.#sentInMode++;
    this.#rounds.onSent(now, number, this.#roundLength(), this.#gain, this.pacingRate);
  }

  onLost(_now: Micros, _bytes: number, packets: number): void {
    this.#rounds.onLost(packets);
  }

  onSpurious(packets: number): void {
    this.#rounds.onLost(-packets);
  }

  onAcked(sample: AckSample): void {
    this.#samples++;
    this.#rtt = sample.smoothedRtt;
    this.#jitter = sample.jitter;
    // The smallest sample is the luckiest one where delays vary; the smoothed one holds our queue.
    this.#quietRtt = Math.max(sample.minRtt, sample.smoothedRtt - Math.max(0, this.#queue));
    if (this.#mode === "startup") {
      const span = this.#arrivals.onReport(sample, this.#spanLength());
      if (span) this.#speedUp(sample.now, span);
    }
    const isDrained = this.#mode === "drain" && sample.inFlight <= (this.#rate * this.#quietRtt) / MICROS_PER_SECOND;
    if (isDrained && sample.now - this.#modeSince >= MIN_ROUND) this.#cruise(sample.now);
    const round = this.#rounds.onReport(sample);
    if (round) this.#judge(sample.now, round);
    if (this.#rate === 0 && sample.bytes > 0) this.#modeSince = sample.now;
  }

  /** Starts again from half the estimate, and doubles as it arrives (careful resume, draft-ietf-tsvwg-careful-resume). */
  onIdleRestart(now: Micros): void {
    this.#rounds.reset();
    this.#arrivals.reset();
    this.#lastGrowth = 0;
    this.#stalled = 0;
    this.#queueing = 0;
    if (this.#rate > 0) this.#rate = Math.max(this.#floor(), this.#rate / 2);
    this.#enter(now, "startup", this.#rate === 0 ? STARTUP_GAIN : 2);
  }

  #judge(now: Micros, round: Round): void {
    this.#base.update(now, round.delay + this.#luck(round));
    this.#queue = round.delay - this.#base.value;
    this.#judgedInMode++;
    // Did the round really try? What was not sent cannot arrive.
    const isTried = round.sent > 0.9 * round.target && round.datagrams >= MIN_TELLING;
    const rate = this.#outRate(round);
    const before = this.#outRateBefore;
    this.#outRateBefore = rate;
    const isLossy = this.#watchLoss(round, isTried);
    if (this.#mode === "startup") return this.#judgeStartup(now, round, rate, isTried, isLossy);
    if (isLossy) return this.#cut(now, round.arrived);
    if (this.#mode === "drain") return this.#judgeDrain(now);
    if (this.#mode === "yield") return this.#judgeYield(now);
    if (isTried && this.#queue > this.#threshold() + this.#luck(round))
      return this.#judgeQueue(now, round, rate, before);
    if (round.gain > 1) return this.#judgePush(now, round, rate, isTried);
    if (this.#mode === "recover") this.#cruise(now);
    else if (this.#mode === "cruise" && isTried && now - this.#modeSince >= this.#cruiseFor) this.#push(now, round);
    else if (this.#mode === "push" && this.#isPushDone(now)) this.#enter(now, "recover", RECOVER_GAIN);
  }

  /**
   * Returns the rate at which the round came out of the path, losses aside. The times between its ends give it exactly; where jitter
   * drowns those, the bytes counted at the far end do, with the random loss added.
   */
  #outRate(round: Round): number {
    if (this.#isExact(round)) return round.stretched;
    return round.arrived / (1 - Math.min(this.#randomLoss, MAX_OWN_LOSS));
  }

  /** Returns the relative error that a round's rate may have. */
  #noise(round: Round): number {
    return Math.min(this.#noiseOfEnds(round), noiseOfCount(round));
  }

  /** True if a round's ends give its rate better than the bytes that arrived. */
  #isExact(round: Round): boolean {
    return this.#noiseOfEnds(round) <= noiseOfCount(round);
  }

  #noiseOfEnds(round: Round): number {
    return (2 * this.#jitter) / round.duration;
  }

  /** Raises the estimate in startup, between rounds, to what arrives; ends startup as soon as a queue shows. */
  #speedUp(now: Micros, span: Span): void {
    this.#base.update(now, span.delay + this.#luck(span));
    const queue = span.delay - this.#base.value;
    this.#rate = Math.max(this.#rate, Math.min(span.sent, span.received), this.#initialRate());
    const isQueueing = queue > this.#startupQueue() && span.received < 0.9 * span.sent;
    this.#queueing = isQueueing ? this.#queueing + 1 : 0;
    if (this.#queueing < (this.#jitter > CLEAN ? 3 : 1)) return;
    this.#queue = queue;
    this.#rate = Math.max(this.#floor(), span.received);
    this.#drain(now);
  }

  /** Returns the error that the mean of few delays may have by chance, µs. */
  #luck({ delays }: { readonly delays: number }): Micros {
    return (1.5 * this.#jitter) / Math.sqrt(delays);
  }

  #startupQueue(): Micros {
    return Math.max(6_000, this.#quietRtt / (this.#samples < FEW_SAMPLES ? 2 : 8), 4 * this.#jitter);
  }

  #spanLength(): Micros {
    return Math.max(MIN_ROUND / 2, this.#rtt / 4, 6 * this.#jitter);
  }

  #judgeStartup(now: Micros, round: Round, rate: number, isTried: boolean, isLossy: boolean): void {
    // A path that was given little to send shows nothing against the initial rate.
    this.#rate = Math.max(this.#rate, Math.min(rate, round.sent), this.#initialRate());
    if (this.#rate > 1.25 * this.#lastGrowth) {
      this.#lastGrowth = this.#rate;
      this.#stalled = 0;
    } else if (isTried) this.#stalled++;
    const isQueueing = this.#queue > Math.max(8_000, this.#startupQueue());
    if (this.#stalled < 3 && !isQueueing && !isLossy) return;
    if (isQueueing && isTried) this.#rate = Math.min(this.#rate, Math.max(rate, this.#rate / 2));
    if (isLossy) this.#rate = Math.min(this.#rate, Math.max(round.arrived, this.#rate / 4));
    this.#rate = Math.max(this.#floor(), this.#rate);
    this.#drain(now);
  }

  #initialRate(): number {
    return (INITIAL_DATAGRAMS * this.#datagram * MICROS_PER_SECOND) / Math.max(this.#rtt, 1_000);
  }

  /** Returns the least rate, with which the path can still be measured; a queue of ours lengthens the round-trip time and so lowers it. */
  #floor(): number {
    return (MIN_DATAGRAMS * this.#datagram * MICROS_PER_SECOND) / Math.max(this.#rtt, 2 * MIN_ROUND);
  }

  #judgeDrain(now: Micros): void {
    if (this.#queue <= this.#threshold() / 2 || this.#judgedInMode > 3) this.#cruise(now);
  }

  /** Reacts to a queue that stands although no more was sent than the estimate. */
  #judgeQueue(now: Micros, round: Round, rate: number, before: number): void {
    const isLess = rate < (0.97 - this.#noise(round)) * round.sent;
    // What came out in the round before is as good a sample where one alone is noisy.
    if (isLess) {
      const gain = this.#emptying(round, 1, DRAIN_GAIN, SLIGHT_DRAIN_GAIN);
      return this.#cut(now, this.#isExact(round) ? rate : Math.max(rate, before), gain);
    }
    this.#queueBefore = this.#queue;
    this.#enter(now, "yield", this.#emptying(round, YIELD_ROUNDS, YIELD_GAIN, SLIGHT_YIELD_GAIN));
  }

  /**
   * Returns the gain with which the queue is gone after so many rounds: with less the path would idle, with more the queue would stay.
   * It is `least` where too few datagrams are sent to show the effect of a slight one.
   */
  #emptying(round: Round, rounds: number, least: number, most: number): number {
    if (round.datagrams < SUBTLE_DATAGRAMS) return least;
    return Math.max(least, Math.min(most, 1 - this.#queue / (rounds * this.#roundLength())));
  }

  /** Tells, after rounds with less sent, whose the queue is: ours has shrunk in proportion, another's has not. */
  #judgeYield(now: Micros): void {
    if (this.#judgedInMode < YIELD_ROUNDS) return;
    const shouldShrink = (1 - this.#gain) * this.#roundLength();
    if (this.#queue > this.#queueBefore - shouldShrink / 4) this.#base.reset(now, this.#queue + this.#base.value);
    this.#cruise(now);
  }

  #judgePush(now: Micros, round: Round, rate: number, isTried: boolean): void {
    const growth = rate / this.#rate - 1;
    const isSuccess = isTried && growth >= (round.gain - 1) / 4;
    if (isSuccess) this.#rate = Math.min(rate, round.sent);
    this.#successes = isSuccess ? this.#successes + 1 : 0;
    if (this.#successes >= 3) {
      this.#successes = 0;
      this.#lastGrowth = 0;
      this.#stalled = 0;
      this.#enter(now, "startup", 2);
    } else if (isSuccess) this.#push(now, round);
    else if (this.#mode === "push") this.#enter(now, "recover", RECOVER_GAIN);
    else this.#cruise(now);
  }

  /** True once a push has lasted a round and sent enough datagrams to be judged. */
  #isPushDone(now: Micros): boolean {
    return this.#sentInMode >= 2 * MIN_TELLING && now - this.#modeSince >= this.#roundLength();
  }

  /**
   * Estimates the random loss over enough datagrams to tell.
   * @returns true for loss that is clearly above it twice in a row: a policer or a short queue
   */
  #watchLoss(round: Round, isTried: boolean): boolean {
    this.#lossDatagrams += round.datagrams;
    this.#lossLost += round.lost;
    const startup = this.#mode === "startup";
    if (this.#lossDatagrams < (startup ? 50 : LOSS_SAMPLE)) return false;
    const loss = Math.max(0, Math.min(1, this.#lossLost / this.#lossDatagrams));
    const own = Math.min(this.#randomLoss, MAX_OWN_LOSS);
    const noise = 2 * Math.sqrt(Math.max(own, 0.005) / this.#lossDatagrams);
    this.#lossDatagrams = 0;
    this.#lossLost = 0;
    const isExcess = isTried && loss - own > (startup ? STARTUP_LOSS : EXCESS_LOSS) + noise;
    this.#lossyRounds = isExcess ? this.#lossyRounds + 1 : 0;
    if (!isExcess || loss < this.#randomLoss) {
      const gain = this.#ownLossKnown++ === 0 ? 1 / 2 : 1 / 8;
      this.#randomLoss += gain * (loss - this.#randomLoss);
    } else this.#randomLoss += (loss - this.#randomLoss) / 32;
    return this.#lossyRounds >= (startup && this.#jitter < CLEAN ? 1 : 2);
  }

  #cut(now: Micros, arrived: number, gain = DRAIN_GAIN): void {
    this.#lossyRounds = 0;
    this.#successes = 0;
    this.#rate = Math.max(this.#floor(), Math.min(this.#rate, arrived));
    this.#drain(now, gain);
  }

  #drain(now: Micros, gain = DRAIN_GAIN): void {
    this.#enter(now, "drain", gain);
  }

  #cruise(now: Micros): void {
    this.#cruiseFor = Math.min(MAX_CRUISE, Math.max(MIN_CRUISE, 7 * this.#roundLength()));
    this.#enter(now, "cruise", CRUISE_GAIN);
  }

  /** Probes with a little more, or with clearly more where a little would drown in noise or the last push succeeded. */
  #push(now: Micros, round: Round): void {
    const isSubtle = this.#successes === 0 && round.datagrams >= SUBTLE_DATAGRAMS && this.#noise(round) < 0.02;
    this.#enter(now, "push", isSubtle ? PUSH_GAIN : HARD_PUSH_GAIN);
  }

  #enter(now: Micros, mode: Mode, gain: number): void {
    this.#mode = mode;
    this.#gain = gain;
    this.#modeSince = now;
    this.#judgedInMode = 0;
    this.#sentInMode = 0;
  }

  #threshold(): Micros {
    return QUEUE_TARGET + Math.max(3_000, 3 * this.#jitter, this.#quietRtt / 8);
  }

  #roundLength(): Micros {
    return Math.max(MIN_ROUND, this.#quietRtt, 4 * this.#jitter);
  }
}

function noiseOfCount(round: Round): number {
  return 1 / Math.sqrt(round.datagrams);
}
