// @hot
/**
 * Settles datagrams in flight by acknowledgements and timeouts. Losses are detected in one of two ways:
 * - `nack`, the dissertation's (3.2.3): the receiver gave a datagram up after half a round-trip time, or it stays unacknowledged for three;
 * - `gap`: datagrams sent clearly later have overtaken it (RFC 9002 section 6.1), where "clearly" is learned from the path.
 */
import { type Micros, NEVER } from "../clock.ts";
import type { Ack } from "../wire/ack.ts";
import { SENT, type SentPackets } from "./sent-packets.ts";

export type LossDetection = "nack" | "gap";

/** Takes what was kept with a datagram when that is settled. */
export interface DeliveryListener {
  /** Called when the datagram was acknowledged. */
  onDelivered(kept: number): void;
  /** Called when the datagram was declared lost. */
  onLost(now: Micros, kept: number): void;
}

/** The datagrams that one acknowledgement or timeout settled. Reused. */
export class SettledDatagrams {
  #now: Micros = 0;
  ackedBytes = 0;
  ackedPackets = 0;
  lostBytes = 0;
  lostPackets = 0;
  /** Datagrams declared lost that arrived after all, and how much later at most those were sent that overtook them. */
  spuriousPackets = 0;
  overtaken: Micros = 0;
  /** The largest number newly acknowledged, -1 if none. */
  largestAcked = -1;
  /** The datagram that arrived at the peer last, if the report is newer than all before; -1 otherwise. */
  latest = -1;
  /** Sending time of the newest lost datagram. */
  lostSentAt: Micros = 0;
  /** Size above which, and up to which, a datagram counts as large, bytes, set by the path; and how many of those were acknowledged and lost. */
  largeFrom: number = NEVER;
  largeTo = 0;
  largeAcked = 0;
  largeLost = 0;

  get now(): Micros {
    return this.#now;
  }

  reset(now: Micros): void {
    this.#now = now;
    this.ackedBytes = 0;
    this.ackedPackets = 0;
    this.lostBytes = 0;
    this.lostPackets = 0;
    this.spuriousPackets = 0;
    this.overtaken = 0;
    this.largestAcked = -1;
    this.latest = -1;
    this.lostSentAt = 0;
    this.largeAcked = 0;
    this.largeLost = 0;
  }
}

/**
 * Settles the datagrams that `ack` describes. Numbers that were never sent make the whole message invalid.
 * @returns false if the message is impossible; nothing is changed then
 */
export function applyAck(
  now: Micros,
  sent: SentPackets,
  ack: Ack,
  by: LossDetection,
  listener: DeliveryListener,
  out: SettledDatagrams,
): boolean {
  out.reset(now);
  const largest = expand(ack.largest, sent.next);
  const all = expand(ack.ack, sent.next);
  const nack = expand(ack.nack, sent.next);
  if (largest >= sent.next || all > largest || nack > all) return false;
  const latest = expand(ack.latest, sent.next);
  if (latest > largest) return false;
  if (largest > sent.largestReported) {
    sent.largestReported = largest;
    if (latest >= sent.oldest) out.latest = latest;
  }
  let at = largest;
  for (let i = 0; i < ack.ranges; i++) {
    at -= ack.pairs[2 * i] as number;
    const bottom = at - (ack.pairs[2 * i + 1] as number);
    for (const stop = Math.max(bottom, sent.oldest - 1); at > stop; at--) settleAcked(sent, at, listener, out);
    at = bottom;
    if (at < sent.oldest) break;
  }
  settleBelow(sent, at, all, nack, by, listener, out);
  sent.trim();
  return true;
}

/** True if `ack` says that datagram `number` arrived, whatever was recorded of it. */
export function isReceived(sent: SentPackets, ack: Ack, number: number): boolean {
  let at = expand(ack.largest, sent.next);
  if (number > at) return false;
  for (let i = 0; i < ack.ranges; i++) {
    at -= ack.pairs[2 * i] as number;
    const bottom = at - (ack.pairs[2 * i + 1] as number);
    if (number > at) return false;
    if (number > bottom) return true;
    at = bottom;
  }
  return number <= Math.min(at, expand(ack.ack, sent.next)) && number > expand(ack.nack, sent.next);
}

/** Settles the numbers below the ranges, which end at `described`: all up to ACK arrived, unless the peer gave them up. */
function settleBelow(
  sent: SentPackets,
  described: number,
  all: number,
  nack: number,
  by: LossDetection,
  listener: DeliveryListener,
  out: SettledDatagrams,
): void {
  const last = by === "nack" ? all : Math.min(all, described);
  for (let number = sent.firstInFlight; number <= last; number++) {
    if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
    if (number > nack) {
      if (number <= described) settleAcked(sent, number, listener, out);
    } else if (by === "nack") settleLost(sent, number, listener, out);
  }
}

/**
 * Declares lost the datagrams that the largest number reported overtook, if that was sent `window` later and at least `distance` numbers on.
 * Adds to `out`.
 */
export function applyGap(
  sent: SentPackets,
  window: Micros,
  distance: number,
  listener: DeliveryListener,
  out: SettledDatagrams,
): void {
  const largest = sent.largestReported;
  const before = sent.sentAt(largest) - window;
  for (let number = sent.firstInFlight; number <= largest - distance; number++) {
    if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
    if (sent.sentAt(number) > before) break;
    settleLost(sent, number, listener, out);
  }
  sent.trim();
}

/** Declares lost the datagrams in flight that were sent up to `before`. */
export function applyTimeout(
  now: Micros,
  sent: SentPackets,
  before: Micros,
  listener: DeliveryListener,
  out: SettledDatagrams,
): void {
  out.reset(now);
  for (let number = sent.firstInFlight; number < sent.next; number++) {
    if (sent.stateOf(number) !== SENT.IN_FLIGHT) continue;
    if (sent.sentAt(number) > before) break;
    settleLost(sent, number, listener, out);
  }
  sent.trim();
}

function settleAcked(sent: SentPackets, number: number, listener: DeliveryListener, out: SettledDatagrams): void {
  const state = sent.stateOf(number);
  if (state === SENT.LOST) {
    out.spuriousPackets++;
    out.overtaken = Math.max(out.overtaken, sent.sentAt(sent.largestReported) - sent.sentAt(number));
    sent.markSpurious(number);
  }
  if (state !== SENT.IN_FLIGHT) return;
  out.ackedBytes += sent.bytesOf(number);
  out.ackedPackets++;
  if (isLarge(sent.bytesOf(number), out)) out.largeAcked++;
  if (number > out.largestAcked) out.largestAcked = number;
  const kept = sent.settle(number, SENT.ACKED);
  if (kept >= 0) listener.onDelivered(kept);
}

function settleLost(sent: SentPackets, number: number, listener: DeliveryListener, out: SettledDatagrams): void {
  out.lostBytes += sent.bytesOf(number);
  out.lostPackets++;
  if (isLarge(sent.bytesOf(number), out)) out.largeLost++;
  out.lostSentAt = sent.sentAt(number);
  const kept = sent.settle(number, SENT.LOST);
  if (kept >= 0) listener.onLost(out.now, kept);
}

function isLarge(bytes: number, out: SettledDatagrams): boolean {
  return bytes > out.largeFrom && bytes <= out.largeTo;
}

/** Returns the whole number of which `low` are 32 bits, by the numbers this end has sent; -1 for "none yet". */
function expand(low: number, next: number): number {
  if (low === 0xffffffff && next < 0xffffffff) return -1;
  const span = 0x1_0000_0000;
  const number = Math.floor(next / span) * span + low;
  return number >= next && number >= span ? number - span : number;
}
