// @hot
/** Finds datagrams that should have been acknowledged by now: lost, or late. Where delays vary, waiting until a loss is certain costs a flow far more. */
import type { Micros } from "../clock.ts";
import type { Rtt } from "./rtt.ts";
import { SENT, type SentPackets } from "./sent-packets.ts";

/** Mean deviations beyond the round-trip time: one datagram in forty is later, where delays are distributed normally. */
const DEVIATIONS = 2.5;
/** Least time beyond the round-trip time: an acknowledgement may wait so long for further datagrams. */
const SLACK: Micros = 5_000;

export class Overdue {
  #from = 0;

  /** Returns what was kept with the next overdue datagram, each datagram once; -1 for none. */
  next(now: Micros, sent: SentPackets, rtt: Rtt): number {
    const before = now - overdueAfter(rtt);
    let number = Math.max(this.#from, sent.firstInFlight);
    let kept = -1;
    while (kept < 0 && number < sent.next && sent.sentAt(number) < before) {
      if (sent.stateOf(number) === SENT.IN_FLIGHT) kept = sent.keptOf(number);
      number++;
    }
    this.#from = number;
    return kept;
  }
}

/** Returns the time after sending at which an unacknowledged datagram counts as overdue. */
export function overdueAfter(rtt: Rtt): Micros {
  return rtt.smoothed + Math.max(DEVIATIONS * rtt.deviation, SLACK);
}
