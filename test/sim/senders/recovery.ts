/**
 * The states of a simulated TCP sender's recovery, after Linux's tcp_fastretrans_alert: open, recovery and loss; when to reduce
 * the window (RFC 6937), and when to take it back because nothing was lost (DSACK: RFC 3708; timestamps: RFC 4015).
 */
import { type Micros, NEVER } from "../../../src/clock.ts";
import type { AckFacts, InnerControl } from "./inner-control.ts";
import type { Rack } from "./rack.ts";
import { type Scoreboard, SEGMENT } from "./scoreboard.ts";

export type RepairState = "open" | "recovery" | "loss";

export class Recovery {
  readonly board: Scoreboard;
  readonly rack: Rack;
  readonly control: InnerControl;
  state: RepairState = "open";
  /** Times recovery began, and times it was undone. */
  recoveries = 0;
  undone = 0;
  /** Start of the highest segment selectively acknowledged. */
  highestSacked = 0;
  /** The scan for segments to send again has to begin anew. */
  hasNewLoss = false;
  /** Serial of the first retransmission of the episode; the connection sets it through `stamp`. */
  #retransmitStamp = -1;
  #highSequence = 0;
  #undoMarker = -1;
  #undoRetransmissions = -1;
  #priorThreshold = 0;
  #priorWindow = 0;
  #delivered = 0;
  #out = 0;
  #probeSequence = -1;
  #probeWasRetransmission = false;
  /** Gives the serial the next packet will have. */
  stamp: () => number = () => 0;

  constructor(board: Scoreboard, rack: Rack, control: InnerControl) {
    this.board = board;
    this.rack = rack;
    this.control = control;
  }

  get isRepairing(): boolean {
    return this.state !== "open";
  }

  /** True where proportional rate reduction rules the window. */
  get isReducing(): boolean {
    return this.state === "recovery";
  }

  get isProbing(): boolean {
    return this.#probeSequence >= 0;
  }

  noteProbe(nextSequence: number, wasRetransmission: boolean): void {
    this.#probeSequence = nextSequence;
    this.#probeWasRetransmission = wasRetransmission;
  }

  noteDsack(end: number): void {
    if (this.#undoMarker >= 0 && this.#undoRetransmissions > 0 && end > this.#undoMarker) this.#undoRetransmissions--;
  }

  noteRetransmission(): void {
    this.#out++;
    this.#undoRetransmissions = Math.max(0, this.#undoRetransmissions) + 1;
    if (this.#retransmitStamp < 0) this.#retransmitStamp = this.stamp();
  }

  noteNew(): void {
    this.#out++;
  }

  /** Finds losses and changes state after an acknowledgement was applied to the scoreboard. */
  handle(facts: AckFacts, echo: number, nextSequence: number, smoothedRtt: Micros): void {
    this.#endProbe(facts);
    if (this.state !== "open" && facts.una >= this.#highSequence) this.#finish(facts, echo);
    else if (this.state !== "open" && facts.isUnaAdvanced && this.#isEchoBefore(echo)) this.#undoPartially();
    if (this.#undoMarker >= 0 && this.#undoRetransmissions === 0 && facts.hasDsack) this.#undo(false);
    if (this.rack.isAdvanced) this.#detect(facts.now, smoothedRtt);
    if (this.board.lostOut > 0 && this.state === "open") this.#enterRecovery(facts.now, facts.una, nextSequence);
  }

  handleReorderingTimer(now: Micros, nextSequence: number, smoothedRtt: Micros): void {
    this.rack.deadline = NEVER;
    this.#detect(now, smoothedRtt);
    if (this.board.lostOut > 0 && this.state === "open" && this.board.first < this.board.end)
      this.#enterRecovery(now, this.board.sequence(this.board.first), nextSequence);
    if (this.state === "recovery" && this.#delivered === 0 && !this.control.ownsWindow)
      this.control.window = this.board.inFlight + 1;
  }

  onTimeout(now: Micros, nextSequence: number): void {
    const board = this.board;
    this.rack.deadline = NEVER;
    if (this.state === "open" || board.sequence(board.first) >= this.#highSequence) {
      this.#priorThreshold = this.control.threshold;
      this.#priorWindow = this.control.window;
      this.control.threshold = this.control.reduce(now);
    }
    this.control.onTimeout(now);
    this.#undoMarker = board.sequence(board.first);
    this.#undoRetransmissions = -1;
    this.#retransmitStamp = -1;
    this.#highSequence = nextSequence;
    this.#probeSequence = -1;
    for (let n = board.first; n < board.end; n++) if (!board.has(n, SEGMENT.SACKED)) board.markLost(n);
    this.hasNewLoss = true;
    this.state = "loss";
    this.control.window = board.inFlight + 1;
  }

  /** Reduces the window in proportion (RFC 6937 section 3), with slow start as the reduction bound. */
  reduceProportionally(facts: AckFacts): void {
    if (facts.acked <= 0 || this.#priorWindow === 0) return;
    const inFlight = this.board.inFlight;
    const threshold = this.control.threshold;
    this.#delivered += facts.acked;
    let count: number;
    if (inFlight > threshold) count = Math.ceil((threshold * this.#delivered) / this.#priorWindow) - this.#out;
    else {
      count = Math.max(this.#delivered - this.#out, facts.acked);
      if (facts.isUnaAdvanced && facts.newlyLost === 0) count++;
      count = Math.min(threshold - inFlight, count);
    }
    this.control.window = inFlight + Math.max(count, this.#out > 0 ? 0 : 1);
  }

  #detect(now: Micros, smoothedRtt: Micros): void {
    const before = this.board.lost;
    this.rack.detect(now, this.isRepairing, smoothedRtt);
    if (this.board.lost > before) this.hasNewLoss = true;
  }

  #enterRecovery(now: Micros, una: number, nextSequence: number): void {
    this.recoveries++;
    this.state = "recovery";
    this.#undoMarker = una;
    this.#undoRetransmissions = -1;
    this.#retransmitStamp = -1;
    this.#highSequence = nextSequence;
    this.#priorThreshold = this.control.threshold;
    this.#priorWindow = this.control.window;
    this.#delivered = 0;
    this.#out = 0;
    this.#probeSequence = -1;
    this.control.threshold = this.control.reduce(now);
  }

  /** Ends the episode: all that was outstanding when it began is acknowledged. */
  #finish(facts: AckFacts, echo: number): void {
    const wasRecovery = this.state === "recovery";
    if (this.#undoMarker >= 0 && this.#out > 0 && (this.#undoRetransmissions === 0 || this.#isEchoBefore(echo))) {
      if (this.#retransmitStamp >= 0 || facts.hasDsack) this.#undo(false);
    }
    if (wasRecovery && this.#undoMarker >= 0 && !this.control.ownsWindow) this.control.window = this.control.threshold;
    if (wasRecovery) this.rack.onRecoveryEnd();
    this.state = "open";
  }

  /** True if the acknowledged segment was sent before the first retransmission: it was late, not lost. */
  #undoPartially(): void {
    if (this.#undoMarker < 0) return;
    this.rack.noteReordering(this.rack.reordering + 1);
    if (this.board.retransmittedOut > 0 && this.state === "recovery") return;
    this.#undo(true);
  }

  #isEchoBefore(echo: number): boolean {
    return this.#retransmitStamp >= 0 && ((echo - this.#retransmitStamp) | 0) < 0;
  }

  #undo(unmark: boolean): void {
    this.undone++;
    if (unmark || this.state === "loss") this.board.unmarkLost();
    if (!this.control.ownsWindow) this.control.window = Math.max(this.control.window, this.#priorWindow);
    this.control.threshold = Math.max(this.control.threshold, this.#priorThreshold);
    this.#undoMarker = -1;
    this.rack.isAdvanced = true;
    this.state = "open";
  }

  /** Settles a probe: it retransmitted a lost segment unless a DSACK says it was not needed. */
  #endProbe(facts: AckFacts): void {
    if (this.#probeSequence < 0) return;
    if (this.#probeWasRetransmission && facts.hasDsack) {
      this.#probeSequence = -1;
      return;
    }
    if (facts.una < this.#probeSequence) return;
    this.#probeSequence = -1;
    if (!this.#probeWasRetransmission || this.state !== "open") return;
    // Nothing tells the copy's acknowledgement from the original's but a DSACK, which would come with a later one.
    if (facts.una === facts.nextSequence && facts.rtt < 0) this.#reduceOnce(facts.now);
  }

  #reduceOnce(now: Micros): void {
    this.control.threshold = this.control.reduce(now);
    if (!this.control.ownsWindow) this.control.window = Math.min(this.control.window, this.control.threshold);
  }
}
