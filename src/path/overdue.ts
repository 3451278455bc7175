// @hot
/** Datagrams that should have been acknowledged by now: lost, or late. Where delays vary, waiting until that is sure costs whoever waits for one far longer. */
import type { Micros } from "../clock.ts";
import type { Rtt } from "./rtt.ts";
import { SENT, type SentPackets } from "./sent-packets.ts";

/** Later than others by so many mean deviations: one in forty is, where delays are distributed normally. */
const DEVIATIONS = 2.5;
/** On a path without jitter, what an acknowledgement may wait for company. */
const SLACK: Micros = 5_000;

export class Overdue {
  #from = 0;

  /** Returns the packet kept for the next datagram that is overdue, each once; -1 for none. */
  next(now: Micros, sent: SentPackets, rtt: Rtt): number {
    const before = now - overdueAfter(rtt);
    let number = Math.max(this.#from, sent.firstInFlight);
    let slot = -1;
    while (slot < 0 && number < sent.next && sent.sentAt(number) < before) {
      if (sent.stateOf(number) === SENT.IN_FLIGHT) slot = sent.slotOf(number);
      number++;
    }
    this.#from = number;
    return slot;
  }
}

/** Returns the time after sending at which an unacknowledged datagram counts as overdue, µs. */
export function overdueAfter(rtt: Rtt): Micros {
  return rtt.smoothed + Math.max(DEVIATIONS * rtt.deviation, SLACK);
}
