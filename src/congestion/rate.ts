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
import { ArrivalMeter, type Span } from "./arrival-meter.ts";
import { BaseDelay } from "./base-delay.ts";
import type { AckSample, CongestionController } from "./controller.ts";
import { type Round, Rounds } from "./rounds.ts";

type Mode = "startup" | "drain" | "cruise" | "push" | "recover" | "yield";

const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.5;
/** A small queue is drained by no more than this, and with a yield no slighter than this is found out whose it is. */
const SLIGHT_DRAIN_GAIN = 0.9;
const CRUISE_GAIN = 0.99;
const PUSH_GAIN = 1 + 1 / 16;
const HARD_PUSH_GAIN = 1.25;
const RECOVER_GAIN = 15 / 16;
const YIELD_GAIN = 0.75;
const SLIGHT_YIELD_GAIN = 0.85;

/** Rounds until a yield is judged. */
const YIELD_ROUNDS = 2;

const INITIAL_DATAGRAMS = 10;
const MIN_DATAGRAMS = 4;
/** Fewer datagrams than this measure no rate. */
const MIN_TELLING = 6;
/** A round is at least this long, so that its rates mean something on short paths. */
const MIN_ROUND: Micros = 10_000;
const MIN_CRUISE: Micros = 100_000;
const MAX_CRUISE: Micros = 1_000_000;
/** Standing queue that is put up with, before noise is allowed for. */
const QUEUE_TARGET: Micros = 2_000;
/** Before so many acknowledgements the jitter is not known, and only a long queue counts as one. */
const FEW_SAMPLES = 32;
/** Jitter of a path that has none. */
const CLEAN: Micros = 1_000;
/** Loss that is taken for the path's own, at most, and what must come on top to be ours. */
const MAX_OWN_LOSS = 0.08;
const EXCESS_LOSS = 0.02;
/** While the rate is being found more is put up with: overshooting shows as queue first. */
const STARTUP_LOSS = 0.1;
/** Datagrams over which loss is judged. */
const LOSS_SAMPLE = 200;
/** A round of so many datagrams shows a subtle push, drain or yield. */
const SUBTLE_DATAGRAMS = 48;

export class RateController implements CongestionController {
  readonly name = "rate";
  limit = Number.POSITIVE_INFINITY;
  readonly #datagram: number;
  readonly #rounds = new Rounds();
  readonly #arrivals = new ArrivalMeter();
  #mode: Mode = "startup";
  /** Bytes per second the path is believed to carry; 0 before the first round was judged. */
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
  /** Acknowledgements that taught something. */
  #samples = 0;
  /** Spans in a row that showed a queue. */
  #queueing = 0;
  #queueBefore = 0;
  /** Bytes per second that came out in the last round. */
  #outRateBefore = 0;
  #rtt: Micros = 0;
  /** The round trip without our own queue. */
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

  /** Bytes per second, 0 while unknown. */
  get estimate(): number {
    return this.#rate;
  }

  get isSettled(): boolean {
    return this.#mode !== "startup";
  }

  /** Share of datagrams that the path loses of its own, whatever is sent. */
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

  /** Only a bound: the rate is what limits. Twice what the path holds, and room for late feedback and jitter. */
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

  /** Half of what was known is begun with, and doubled as it arrives (careful resume, draft-ietf-tsvwg-careful-resume). */
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
   * The rate at which the round came out of the path, losses aside. How much it was stretched tells it exactly; where jitter drowns that, the bytes counted at
   * the far end do, with what the path always loses added.
   */
  #outRate(round: Round): number {
    if (this.#isExact(round)) return round.stretched;
    return round.arrived / (1 - Math.min(this.#randomLoss, MAX_OWN_LOSS));
  }

  /** How far from true a round's rate may be. */
  #noise(round: Round): number {
    return Math.min(this.#noiseOfEnds(round), noiseOfCount(round));
  }

  /** Whether a round's ends tell its rate better than the count of what arrived. */
  #isExact(round: Round): boolean {
    return this.#noiseOfEnds(round) <= noiseOfCount(round);
  }

  #noiseOfEnds(round: Round): number {
    return (2 * this.#jitter) / round.duration;
  }

  /** Startup between rounds: what arrives faster than believed is believed at once, a queue ends it at once. */
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

  /** How far the mean of few delays may be from true by luck. */
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
    // What little a starved path was given says nothing against what it may begin with.
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

  /** So little always goes that the path can be measured; a queue of ours stretches the round trip and so lowers it. */
  #floor(): number {
    return (MIN_DATAGRAMS * this.#datagram * MICROS_PER_SECOND) / Math.max(this.#rtt, 2 * MIN_ROUND);
  }

  #judgeDrain(now: Micros): void {
    if (this.#queue <= this.#threshold() / 2 || this.#judgedInMode > 3) this.#cruise(now);
  }

  /** A queue stands although no more was sent than is believed to pass. */
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
   * The gain with which the queue is gone after so many rounds: with less the path would stand idle, with more the queue would stay.
   * `least` where few datagrams could not show what a slight one does.
   */
  #emptying(round: Round, rounds: number, least: number, most: number): number {
    if (round.datagrams < SUBTLE_DATAGRAMS) return least;
    return Math.max(least, Math.min(most, 1 - this.#queue / (rounds * this.#roundLength())));
  }

  /** We sent less for a round: a queue of ours has shrunk by a part of it, another's has not. */
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

  /** A push is one round, and enough datagrams to tell. */
  #isPushDone(now: Micros): boolean {
    return this.#sentInMode >= 2 * MIN_TELLING && now - this.#modeSince >= this.#roundLength();
  }

  /**
   * Learns what the path loses of its own, over enough datagrams to tell.
   * @returns true for loss that is clearly more than that, twice in a row: a policer or a short queue
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

  /** A little more, or clearly more where a little would drown in noise or much was found before. */
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
