// @hot
/**
 * What an acknowledgement means for the datagrams in flight. Losses are those of the dissertation (3.2.3): what the receiver
 * gave up (NACK), and what stays unanswered for three round trips.
 */
import type { Micros } from "../clock.ts";
import type { Ack } from "../wire/messages.ts";
import { SENT, type SentPackets } from "./sent-packets.ts";

/** What one acknowledgement or timeout changed. Reused. */
export class Outcome {
  ackedBytes = 0;
  ackedPackets = 0;
  lostBytes = 0;
  lostPackets = 0;
  /** The largest number newly acknowledged, -1 if none. */
  largestAcked = -1;
  /** The largest number the peer has, if that is news; -1 otherwise. */
  newest = -1;
  /** When the newest lost datagram was sent. */
  lostSentAt: Micros = 0;

  reset(): void {
    this.ackedBytes = 0;
    this.ackedPackets = 0;
    this.lostBytes = 0;
    this.lostPackets = 0;
    this.largestAcked = -1;
    this.newest = -1;
    this.lostSentAt = 0;
  }
}

/**
 * Settles what `ack` tells. Numbers that were never sent make the whole message invalid.
 * @returns false if the message is impossible; nothing is changed then
 */
export function applyAck(sent: SentPackets, ack: Ack, out: Outcome): boolean {
  out.reset();
  const largest = expand(ack.largest, sent.next);
  const all = expand(ack.ack, sent.next);
  const nack = expand(ack.nack, sent.next);
  if (largest >= sent.next || all > largest || nack > all) return false;
  if (largest > sent.largestReported) {
    sent.largestReported = largest;
    out.newest = largest;
  }
  let at = largest;
  for (let i = 0; i < ack.ranges; i++) {
    at -= ack.pairs[2 * i] as number;
    const bottom = at - (ack.pairs[2 * i + 1] as number);
    for (const stop = Math.max(bottom, sent.oldest - 1); at > stop; at--) settleAcked(sent, at, out);
    at = bottom;
    if (at < sent.oldest) break;
  }
  // Below the ranges: all up to ACK arrived, unless it was given up.
  for (let number = sent.oldest; number <= all; number++) {
    if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
    if (number <= nack) settleLost(sent, number, out);
    else if (number <= at) settleAcked(sent, number, out);
  }
  sent.trim();
  return true;
}

/** Takes for lost what was sent before `before` and is unanswered. */
export function applyTimeout(sent: SentPackets, before: Micros, out: Outcome): void {
  out.reset();
  for (let number = sent.oldest; number < sent.next; number++) {
    if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
    if (sent.sentAt(number) > before) break;
    settleLost(sent, number, out);
  }
  sent.trim();
}

function settleAcked(sent: SentPackets, number: number, out: Outcome): void {
  if (sent.stateOf(number) !== SENT.IN_FLIGHT) return;
  out.ackedBytes += sent.bytesOf(number);
  out.ackedPackets++;
  if (number > out.largestAcked) out.largestAcked = number;
  sent.settle(number, SENT.ACKED);
}

function settleLost(sent: SentPackets, number: number, out: Outcome): void {
  out.lostBytes += sent.bytesOf(number);
  out.lostPackets++;
  out.lostSentAt = sent.sentAt(number);
  sent.settle(number, SENT.LOST);
}

/** Numbers travel modulo 2^32; this end knows the whole ones it sent. -1 is "none yet". */
function expand(low: number, next: number): number {
  if (low === 0xffffffff && next < 0xffffffff) return -1;
  const span = 0x1_0000_0000;
  const number = Math.floor(next / span) * span + low;
  return number >= next && number >= span ? number - span : number;
}
