/**
 * Decides whether a path is up, and when to probe it. The one place where a path's state changes.
 *
 *     exchanging ──▶ up ⇄ suspect ──▶ down
 *
 * Suspect: something sent is unanswered for clearly longer than round trips take. The path carries no packets then and is probed;
 * any acknowledgement makes it up again. Down: suspect for the configured timeout.
 */
import { type Micros, NEVER } from "../clock.ts";
import { LONGEST_ACK_DELAY } from "./ack-schedule.ts";
import type { Rtt } from "./rtt.ts";

export type PathState = "exchanging" | "up" | "suspect" | "down";

const SHORTEST_SUSPICION: Micros = 50_000;
const SHORTEST_PROBE: Micros = 20_000;
const LONGEST_PROBE: Micros = 500_000;
const LONG_SILENCE: Micros = 1_000_000;
/**
 * Time after which a new exchange is tried beside a suspect path. A silent path may answer again; one whose interface lost its address
 * does not, but the next address may take a moment.
 */
const REVIVE_AFTER_SILENCE: Micros = 600_000;
const REVIVE_AFTER_FAULT: Micros = 100_000;

export class Liveness {
  state: PathState;
  reason: string;
  since: Micros;
  /** Since when something is unanswered; `NEVER` while nothing is. */
  #waitingSince: Micros = NEVER;
  #suspectSince: Micros = NEVER;
  #reviveAfter: Micros = REVIVE_AFTER_SILENCE;
  #probeAt: Micros = NEVER;
  #probeInterval: Micros = 0;
  readonly #timeout: Micros;

  /** @param timeout silence after which a suspect path is down */
  constructor(now: Micros, state: PathState, timeout: Micros) {
    this.state = state;
    this.reason = state === "exchanging" ? "waiting for the first datagram under the new keys" : "exchange done";
    this.since = now;
    this.#timeout = timeout;
  }

  /** Notes that a datagram was sent that asks for an acknowledgement. */
  onSent(now: Micros): void {
    if (this.#waitingSince === NEVER) this.#waitingSince = now;
  }

  /** Notes that datagrams were acknowledged. @param outstanding true if more are in flight */
  onAnswered(now: Micros, outstanding: boolean): void {
    if (this.state === "down") return;
    this.#waitingSince = outstanding ? now : NEVER;
    if (this.state !== "up") this.#change(now, "up", this.state === "suspect" ? "answers again" : "exchange done");
    this.#suspectSince = NEVER;
    this.#probeAt = NEVER;
  }

  /** Notes that the peer has shown that it has the keys. */
  onConfirmed(now: Micros): void {
    if (this.state === "exchanging") this.#change(now, "up", "exchange done");
  }

  /** Makes the path suspect at once, as the local system reported a fault. */
  onFault(now: Micros, reason: string): void {
    if (this.state === "up") this.#suspect(now, reason, REVIVE_AFTER_FAULT);
  }

  close(now: Micros, reason: string): void {
    if (this.state !== "down") this.#change(now, "down", reason);
  }

  /** Lets time pass; true if the state changed. */
  advance(now: Micros, rtt: Rtt): boolean {
    if (this.state === "up" && now >= this.#suspicionAt(rtt)) {
      this.#suspect(now, `no answer for ${Math.round((now - this.#waitingSince) / 1000)} ms`, REVIVE_AFTER_SILENCE);
      return true;
    }
    if (this.state === "suspect" && now >= this.#suspectSince + this.#timeout) {
      this.#change(now, "down", "no answer");
      return true;
    }
    return false;
  }

  /** When a new exchange is to be tried beside a path that is still suspect; `NEVER` while it is not. */
  get reviveAt(): Micros {
    return this.#suspectSince + this.#reviveAfter;
  }

  /** True if the path was suspect for so long that it may have changed: a hand-over, another cell. */
  isLongSilent(now: Micros): boolean {
    return now - this.#suspectSince > LONG_SILENCE;
  }

  /** True if a probe of a suspect path is due; the next one is then planned. */
  takeProbe(now: Micros, rtt: Rtt): boolean {
    if (this.state !== "suspect" || now < this.#probeAt) return false;
    this.#probeInterval = Math.min(
      LONGEST_PROBE,
      Math.max(SHORTEST_PROBE, this.#probeInterval * 2, Math.min(rtt.smoothed, LONGEST_PROBE)),
    );
    this.#probeAt = now + this.#probeInterval;
    return true;
  }

  /** Returns when `advance` or `takeProbe` next have something to do. */
  deadline(rtt: Rtt): Micros {
    if (this.state === "up") return this.#suspicionAt(rtt);
    if (this.state === "suspect") return Math.min(this.#probeAt, this.#suspectSince + this.#timeout);
    return NEVER;
  }

  #suspicionAt(rtt: Rtt): Micros {
    const wait = 1.5 * rtt.smoothed + 4 * rtt.deviation + LONGEST_ACK_DELAY;
    return this.#waitingSince + Math.max(SHORTEST_SUSPICION, wait);
  }

  #suspect(now: Micros, reason: string, reviveAfter: Micros): void {
    this.#reviveAfter = reviveAfter;
    this.#change(now, "suspect", reason);
    this.#suspectSince = now;
    this.#probeAt = now;
    this.#probeInterval = 0;
  }

  #change(now: Micros, state: PathState, reason: string): void {
    this.state = state;
    this.reason = reason;
    this.since = now;
  }
}
