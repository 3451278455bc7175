/**
 * The sending half of a simulated TCP, close to Linux: SACK scoreboard, RACK and tail loss probe (RFC 8985), proportional rate
 * reduction (RFC 6937), retransmission timeout of at least 200 ms, undo by DSACK and timestamps, initial window 10.
 * It neither models receive-buffer tuning nor TSO deferral: the peer's window and the segment size are what they are told.
 */
import { type Micros, NEVER } from "../../../src/clock.ts";
import type { Segment } from "../../support/packets/slots.ts";
import { AckFacts, type InnerControl } from "./inner-control.ts";
import { Rack } from "./rack.ts";
import { Recovery } from "./recovery.ts";
import { Scoreboard, SEGMENT } from "./scoreboard.ts";

const MIN_RTO: Micros = 200_000;
const MAX_RTO: Micros = 120_000_000;
const INITIAL_RTO: Micros = 1_000_000;
const PACING_QUANTUM: Micros = 1_000;

/** Hands a segment to the network. */
export type Transmit = (now: Micros, sequence: number, size: number, isRetransmission: boolean) => void;

export class TcpSender {
  readonly control: InnerControl;
  readonly transmit: Transmit;
  readonly board = new Scoreboard();
  readonly rack = new Rack(this.board);
  readonly facts = new AckFacts();
  readonly recovery: Recovery;
  /** Oldest sequence number not acknowledged, and the next new one; absolute. */
  una: number;
  nextSequence: number;
  /** Bytes the application has written in total; Infinity for a bulk transfer. */
  written = 0;
  segmentSize = 1448;
  peerWindow = 65_535;
  smoothedRtt: Micros = 0;
  rttDeviation: Micros = 0;
  retransmissions = 0;
  timeouts = 0;
  probes = 0;
  /** Time at which the sender has something to do without an acknowledgement. */
  deadline: Micros = NEVER;
  readonly #initial: number;
  #timer: Micros = NEVER;
  #timerIsProbe = false;
  #paceAt: Micros = 0;
  #isPaceBlocked = false;
  #backoff = 1;
  #isWindowLimited = false;
  #maxPacketsOut = 0;
  #maxPacketsOutUntil = 0;
  #appLimitedUntil = 0;
  #lastSend: Micros = 0;
  #retransmitFrom = 0;
  readonly #cache = new Float64Array(8);
  #cacheCount = 0;

  /** @param initial sequence number of the first byte */
  constructor(control: InnerControl, initial: number, transmit: Transmit) {
    this.control = control;
    this.transmit = transmit;
    this.#initial = initial;
    this.una = initial;
    this.nextSequence = initial;
    this.recovery = new Recovery(this.board, this.rack, control);
  }

  /** Bytes acknowledged so far. */
  get acknowledged(): number {
    return this.una - this.#initial;
  }

  /** Takes the first RTT sample, of the SYN. */
  start(now: Micros, rtt: Micros): void {
    this.board.deliveredTime = now;
    this.#sampleRtt(rtt);
  }

  /** Takes in an acknowledgement, valid and not a SYN. */
  handleAck(now: Micros, segment: Segment): void {
    const facts = this.facts;
    const acknowledged = this.una + ((segment.acknowledgement - this.una) | 0);
    if (acknowledged > this.nextSequence) return;
    this.peerWindow = segment.window;
    this.#begin(now);
    const priorDelivered = this.board.delivered;
    const priorLost = this.board.lost;
    const low = Math.min(this.#applySack(now, segment, acknowledged), this.#applyAck(now, acknowledged));
    if (low < this.#highestSacked) this.rack.noteReordering(Math.ceil((this.#highestSacked - low) / this.segmentSize));
    facts.acked = this.board.delivered - priorDelivered;
    facts.una = this.una;
    facts.nextSequence = this.nextSequence;
    if (facts.rtt >= 0) this.#sampleRtt(facts.rtt);
    facts.smoothedRtt = this.smoothedRtt;
    this.#finishRateSample(now);
    if (facts.priorTime >= 0 && facts.priorDelivered > 0) this.rack.adapt(facts.priorDelivered);
    this.recovery.handle(facts, segment.echo, this.nextSequence, this.smoothedRtt);
    facts.newlyLost = this.board.lost - priorLost;
    facts.inFlight = this.board.inFlight;
    facts.isRepairing = this.recovery.isRepairing;
    this.#control(facts);
    if (facts.isUnaAdvanced || facts.acked > 0) {
      this.#backoff = 1;
      this.#arm(now);
    }
    this.send(now);
  }

  /** Sends what the window, the peer's window and the pacing rate allow. */
  send(now: Micros): void {
    const board = this.board;
    this.#isPaceBlocked = false;
    const canRepair = this.recovery.state !== "open";
    if (canRepair && board.lostOut > 0) this.#sendLost(now);
    let sent = false;
    while (!this.#isPaceBlocked && this.#hasNew) {
      if (board.inFlight >= this.control.window) {
        this.#isWindowLimited = true;
        break;
      }
      if (!this.#mayPace(now)) break;
      this.#sendNew(now);
      sent = true;
    }
    if (!this.#hasNew && board.inFlight < this.control.window && board.lostOut <= board.retransmittedOut)
      this.#appLimitedUntil = board.delivered + board.inFlight;
    if (sent) {
      this.#noteLimits();
      this.#arm(now);
    }
    this.#updateDeadline();
  }

  handleTimeout(now: Micros): void {
    if (this.rack.deadline <= now) {
      this.recovery.handleReorderingTimer(now, this.nextSequence, this.smoothedRtt);
      this.send(now);
    }
    if (this.#timer <= now) {
      if (this.#timerIsProbe) this.#probe(now);
      else this.#expire(now);
    } else if (this.#isPaceBlocked && this.#paceAt <= now + PACING_QUANTUM) this.send(now);
    this.#updateDeadline();
  }

  get #hasNew(): boolean {
    const offset = this.nextSequence - this.#initial;
    if (offset >= this.written) return false;
    return this.nextSequence - this.una + this.segmentSize <= this.peerWindow || this.nextSequence === this.una;
  }

  get #highestSacked(): number {
    return this.recovery.highestSacked;
  }

  #begin(now: Micros): void {
    const facts = this.facts;
    facts.now = now;
    facts.rtt = -1;
    facts.hasDsack = false;
    facts.isDataAcked = false;
    facts.isUnaAdvanced = false;
    facts.priorInFlight = this.board.inFlight;
    facts.priorDelivered = 0;
    facts.priorTime = -1;
    facts.interval = -1;
    const isGrowing = this.control.window < this.control.threshold;
    facts.isWindowLimited = isGrowing ? this.control.window < 2 * this.#maxPacketsOut : this.#isWindowLimited;
  }

  /** @returns the lowest sequence number that arrived late without having been retransmitted, or Infinity */
  #applySack(now: Micros, segment: Segment, acknowledged: number): number {
    let low = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let i = 0; i < segment.blockCount; i++) {
      const start = this.una + (((segment.blocks[2 * i] as number) - this.una) | 0);
      const end = this.una + (((segment.blocks[2 * i + 1] as number) - this.una) | 0);
      if (i === 0 && this.#isDsack(segment, start, end, acknowledged)) {
        this.facts.hasDsack = true;
        this.rack.noteDsack();
        this.recovery.noteDsack(end);
        continue;
      }
      if (end > this.una && end <= this.nextSequence) low = Math.min(low, this.#sackRange(now, start, end));
      this.#cache[4 + 2 * (kept % 2)] = start;
      this.#cache[5 + 2 * (kept++ % 2)] = end;
    }
    this.#cache.copyWithin(0, 4, 8);
    this.#cacheCount = Math.min(2, kept);
    return low;
  }

  #isDsack(segment: Segment, start: number, end: number, acknowledged: number): boolean {
    if (end <= acknowledged) return true;
    if (segment.blockCount < 2) return false;
    const nextStart = this.una + (((segment.blocks[2] as number) - this.una) | 0);
    const nextEnd = this.una + (((segment.blocks[3] as number) - this.una) | 0);
    return start >= nextStart && end <= nextEnd;
  }

  #sackRange(now: Micros, start: number, end: number): number {
    const board = this.board;
    let low = Number.POSITIVE_INFINITY;
    let from = start;
    // What the same block said last time is known already.
    for (let i = 0; i < this.#cacheCount; i++) {
      const knownEnd = this.#cache[2 * i + 1] as number;
      if ((this.#cache[2 * i] as number) === start && knownEnd <= end) from = Math.max(from, knownEnd);
    }
    for (let n = board.find(from); n < board.end && board.endOf(n) <= end; n++) {
      if (board.has(n, SEGMENT.SACKED)) continue;
      if (!board.has(n, SEGMENT.EVER_RETRANSMITTED) && board.sequence(n) < this.#highestSacked)
        low = Math.min(low, board.sequence(n));
      this.#arrived(now, n);
      board.markSacked(n);
      this.recovery.highestSacked = Math.max(this.recovery.highestSacked, board.sequence(n));
    }
    return low;
  }

  #applyAck(now: Micros, acknowledged: number): number {
    const board = this.board;
    let low = Number.POSITIVE_INFINITY;
    if (acknowledged <= this.una) return low;
    this.una = acknowledged;
    this.facts.isUnaAdvanced = true;
    while (board.first < board.end && board.endOf(board.first) <= acknowledged) {
      const n = board.first;
      if (!board.has(n, SEGMENT.SACKED)) {
        if (!board.has(n, SEGMENT.EVER_RETRANSMITTED) && board.sequence(n) < this.#highestSacked)
          low = Math.min(low, board.sequence(n));
        this.facts.isDataAcked = true;
        this.#arrived(now, n);
      }
      board.shift();
    }
    return low;
  }

  /** Takes note that segment `n` is newly known to have arrived. */
  #arrived(now: Micros, n: number): void {
    const board = this.board;
    const facts = this.facts;
    const wasRetransmitted = board.has(n, SEGMENT.EVER_RETRANSMITTED);
    this.rack.advance(now, n, wasRetransmitted);
    if (!wasRetransmitted) facts.rtt = now - board.sent(n);
    board.delivered++;
    board.deliveredTime = now;
    if (facts.priorTime >= 0 && board.txDelivered(n) < facts.priorDelivered) return;
    facts.priorDelivered = board.txDelivered(n);
    facts.priorTime = board.txDeliveredTime(n);
    facts.isAppLimited = board.has(n, SEGMENT.APP_LIMITED);
    board.firstSent = board.sent(n);
    facts.interval = board.sent(n) - board.txFirstSent(n);
  }

  #finishRateSample(now: Micros): void {
    const facts = this.facts;
    facts.totalDelivered = this.board.delivered;
    if (facts.priorTime < 0) return;
    facts.delivered = this.board.delivered - facts.priorDelivered;
    facts.interval = Math.max(facts.interval, now - facts.priorTime);
    if (facts.interval < this.rack.minRtt) facts.interval = -1;
  }

  #control(facts: AckFacts): void {
    const control = this.control;
    if (facts.acked > 0 || facts.isUnaAdvanced) control.onAck(facts);
    if (control.ownsWindow) return;
    if (this.recovery.isReducing) this.recovery.reduceProportionally(facts);
    else if (facts.acked > 0) control.grow(facts);
  }

  #sampleRtt(rtt: Micros): void {
    this.rack.minRtt = Math.min(this.rack.minRtt, rtt);
    if (this.smoothedRtt === 0) {
      this.smoothedRtt = rtt;
      this.rttDeviation = rtt / 2;
      return;
    }
    this.rttDeviation += (Math.abs(rtt - this.smoothedRtt) - this.rttDeviation) / 4;
    this.smoothedRtt += (rtt - this.smoothedRtt) / 8;
  }

  #sendLost(now: Micros): void {
    const board = this.board;
    if (this.#retransmitFrom < board.first || this.recovery.hasNewLoss) this.#retransmitFrom = board.first;
    this.recovery.hasNewLoss = false;
    let n = this.#retransmitFrom;
    for (; n < board.end; n++) {
      if (board.retransmittedOut >= board.lostOut) break;
      if (!board.has(n, SEGMENT.LOST) || board.has(n, SEGMENT.RETRANSMITTED)) continue;
      if (board.inFlight >= this.control.window || !this.#mayPace(now)) break;
      this.#retransmit(now, n);
    }
    this.#retransmitFrom = n;
  }

  #retransmit(now: Micros, n: number): void {
    const board = this.board;
    if (board.has(n, SEGMENT.RETRANSMITTED)) board.retransmittedOut--;
    board.markRetransmitted(n);
    board.noteSent(n, now, board.delivered < this.#appLimitedUntil);
    this.retransmissions++;
    this.recovery.noteRetransmission();
    this.#pace(now, board.size(n));
    this.transmit(now, board.sequence(n), board.size(n), true);
  }

  #sendNew(now: Micros): void {
    const board = this.board;
    if (board.packetsOut === 0 && now - this.#lastSend > 0) this.control.onRestart(now, now - this.#lastSend);
    const size = Math.min(this.segmentSize, this.written - (this.nextSequence - this.#initial));
    const n = board.append(this.nextSequence, size);
    board.noteSent(n, now, board.delivered < this.#appLimitedUntil);
    this.nextSequence += size;
    this.recovery.noteNew();
    this.#lastSend = now;
    this.#pace(now, size);
    this.transmit(now, board.sequence(n), size, false);
  }

  #mayPace(now: Micros): boolean {
    if (this.control.pacingRate === Number.POSITIVE_INFINITY || this.#paceAt <= now + PACING_QUANTUM) return true;
    this.#isPaceBlocked = true;
    return false;
  }

  #pace(now: Micros, size: number): void {
    if (this.control.pacingRate === Number.POSITIVE_INFINITY) return;
    this.#paceAt = Math.max(this.#paceAt, now) + size / this.control.pacingRate;
  }

  #noteLimits(): void {
    const board = this.board;
    if (board.packetsOut > this.#maxPacketsOut || this.una >= this.#maxPacketsOutUntil) {
      this.#maxPacketsOut = board.packetsOut;
      this.#maxPacketsOutUntil = this.nextSequence;
      this.#isWindowLimited = board.inFlight >= this.control.window;
    } else if (board.inFlight >= this.control.window) this.#isWindowLimited = true;
  }

  get rto(): Micros {
    if (this.smoothedRtt === 0) return INITIAL_RTO;
    return Math.min(MAX_RTO, (this.smoothedRtt + Math.max(MIN_RTO, 4 * this.rttDeviation)) * this.#backoff);
  }

  /** Sets the one timer: a probe where nothing is suspected, else the retransmission timeout. */
  #arm(now: Micros): void {
    if (this.board.packetsOut === 0) {
      this.#timer = NEVER;
      return;
    }
    const rto = this.rto;
    this.#timerIsProbe = this.recovery.state === "open" && this.board.sackedOut === 0 && !this.recovery.isProbing;
    const probe = 2 * this.smoothedRtt + (this.board.packetsOut === 1 ? MIN_RTO : 2_000);
    this.#timer = now + (this.#timerIsProbe ? Math.min(probe, rto) : rto);
  }

  #probe(now: Micros): void {
    this.probes++;
    const canSendNew = this.#hasNew;
    if (canSendNew) this.#sendNew(now);
    else this.#retransmit(now, this.board.end - 1);
    this.recovery.noteProbe(this.nextSequence, !canSendNew);
    this.#timerIsProbe = false;
    this.#timer = now + this.rto;
  }

  #expire(now: Micros): void {
    if (this.board.packetsOut === 0) {
      this.#timer = NEVER;
      return;
    }
    this.timeouts++;
    this.recovery.onTimeout(now, this.nextSequence);
    this.#backoff = Math.min(64, 2 * this.#backoff);
    this.#paceAt = Math.min(this.#paceAt, now);
    this.send(now);
    this.#timerIsProbe = false;
    this.#timer = now + this.rto;
  }

  #updateDeadline(): void {
    this.deadline = Math.min(
      this.#timer,
      this.rack.deadline,
      this.#isPaceBlocked ? this.#paceAt - PACING_QUANTUM / 2 : NEVER,
    );
  }
}
