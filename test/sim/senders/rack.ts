/**
 * RACK as Linux runs it (net/ipv4/tcp_recovery.c, RFC 8985): a segment is lost when one sent later has arrived and the
 * reordering window has passed; the window is 0 after three duplicates until reordering was seen, then a quarter of
 * the minimum RTT per step, one step more for each round with a DSACK, back to one after 16 recoveries.
 */
import { type Micros, NEVER } from "../../../src/clock.ts";
import type { Scoreboard } from "./scoreboard.ts";

const DUPLICATE_THRESHOLD = 3;
const MAX_REORDERING = 300;
const PERSIST_RECOVERIES = 16;
const TIMER_MARGIN: Micros = 2_000;

export class Rack {
  readonly board: Scoreboard;
  /** Segments by which reordering was seen to reach, at least three. */
  reordering = DUPLICATE_THRESHOLD;
  reorderingSeen = 0;
  steps = 1;
  /** Time at which the reordering timer fires. */
  deadline: Micros = NEVER;
  minRtt: Micros = Number.POSITIVE_INFINITY;
  /** Set when a later segment arrived since the last detection. */
  isAdvanced = false;
  #sent: Micros = -1;
  #end = 0;
  #rtt: Micros = 0;
  #dsackSeen = false;
  #persist = 0;
  #lastDelivered = 0;

  constructor(board: Scoreboard) {
    this.board = board;
  }

  /** Takes note that segment `n` arrived now. */
  advance(now: Micros, n: number, wasRetransmitted: boolean): void {
    const sent = this.board.sent(n);
    const end = this.board.endOf(n);
    if (this.#sent >= 0 && !(sent > this.#sent || (sent === this.#sent && end > this.#end))) return;
    const rtt = now - sent;
    if (wasRetransmitted && rtt < this.minRtt) return;
    this.#rtt = rtt;
    this.#sent = sent;
    this.#end = end;
    this.isAdvanced = true;
  }

  /** Takes note that a segment arrived `segments` behind the highest one. */
  noteReordering(segments: number): void {
    this.reordering = Math.max(this.reordering, Math.min(segments, MAX_REORDERING));
    this.reorderingSeen++;
  }

  noteDsack(): void {
    this.#dsackSeen = true;
  }

  /** Widens the window once per round in which a DSACK came. `priorDelivered` of the acknowledged segment's sending. */
  adapt(priorDelivered: number): void {
    if (priorDelivered < this.#lastDelivered) this.#dsackSeen = false;
    if (this.#dsackSeen) {
      this.steps = Math.min(255, this.steps + 1);
      this.#dsackSeen = false;
      this.#lastDelivered = this.board.delivered;
      this.#persist = PERSIST_RECOVERIES;
    } else if (this.#persist === 0) this.steps = 1;
  }

  onRecoveryEnd(): void {
    if (this.#persist > 0) this.#persist--;
  }

  window(isRepairing: boolean, smoothedRtt: Micros): Micros {
    if (this.reorderingSeen === 0) {
      if (isRepairing || this.board.sackedOut >= this.reordering) return 0;
    }
    const quarter = this.minRtt === Number.POSITIVE_INFINITY ? 0 : this.minRtt / 4;
    return Math.min(quarter * this.steps, smoothedRtt);
  }

  /** Marks what is lost by now and sets the timer for what may become so. */
  detect(now: Micros, isRepairing: boolean, smoothedRtt: Micros): void {
    this.isAdvanced = false;
    const board = this.board;
    const limit = this.#rtt + this.window(isRepairing, smoothedRtt);
    let wait = 0;
    for (let n = board.listHead; n >= 0; ) {
      const sent = board.sent(n);
      if (!(this.#sent > sent || (this.#sent === sent && this.#end > board.endOf(n)))) break;
      const next = board.after(n);
      const remaining = limit - (now - sent);
      if (remaining <= 0) board.markLost(n);
      else wait = Math.max(wait, remaining);
      n = next;
    }
    this.deadline = wait > 0 ? now + wait + TIMER_MARGIN : NEVER;
  }
}
