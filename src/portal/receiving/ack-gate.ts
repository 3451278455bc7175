// @hot
/**
 * Keeps the senders of young TCP flows in slow start until the paths together are full.
 *
 * HyStart (RFC 9406; Linux' net/ipv4/tcp_cubic.c) ends slow start when the round trips of a round rise by 4 to 16 ms, or when a train of acknowledgements
 * gets long. Over several paths both happen long before they are full: the nearest fills first, what comes by a farther one takes longer, and what
 * overtakes is held. From there CUBIC needs seconds to grow to what all paths hold. Both tests look at single acknowledgements, and the one of
 * round trips at more than eight a round. So while the paths have room, only a few of a round's pure acknowledgements are passed on to the host, each
 * speaking for those before it; all are again as soon as more waits than the paths can use: then HyStart ends slow start as it should.
 * What leaves stays a subset of what entered, and in order.
 *
 * A sender that does not grow so (one that counts acknowledgements instead of bytes, or has no more to send) is left alone from then on.
 */
import { type Micros, NEVER } from "../../clock.ts";
import type { PacketBatch } from "../../memory/packet-batch.ts";
import { NO_SLOT, PACKET_FLAG, type PacketPool, type Slot } from "../../memory/packet-pool.ts";
import { conversationHash, type ParsedHeader, PROTOCOL } from "../../wire/ip.ts";
import {
  TCP_FLAG,
  TCP_HEADER,
  tcpAcknowledgement,
  tcpFlags,
  tcpHeaderSize,
  tcpSequence,
} from "../../wire/tcp-header.ts";

/** Conversations watched; a power of two. A newer one takes the place of an older one with the same low bits. */
const ENTRIES = 1_024;
/** Share of the bytes in flight that one acknowledgement must newly cover: about four a round, fewer than HyStart needs, also for a distant sender. */
const SHARE = 1 / 3;
/** Bytes in flight below which every acknowledgement passes, as HyStart does not look (16 segments). */
const SMALL_FLIGHT = 16_000;
/** A sender whose flight grew by less than this factor in `DULL_ROUNDS` rounds in a row is not in slow start. */
const GROWTH = 1.25;
const DULL_ROUNDS = 4;
/** Longest wait of an acknowledgement for one that covers more, as a share of the last round and in µs. */
const WAIT_SHARE = 1 / 2;
const LONGEST_WAIT: Micros = 120_000;
const SHORTEST_WAIT: Micros = 2_000;
/** Silence after which a conversation's entry may be taken over, µs. */
const FORGOTTEN: Micros = 5_000_000;

/** Header with the time stamp option alone; more options mean that the receiver reports losses (RFC 2018). */
const LONGEST_PLAIN_HEADER = 32;

/** The sending side's view of a flow, as far as the gate needs it. */
export interface GateFlows {
  /** True while paths differ so that senders of young flows need help; otherwise all acknowledgements pass. */
  readonly needsAckGate: boolean;
  /** Returns true if the backlog of the flow or its `flight`, bytes in flight, exceeds what the paths can use. */
  isSaturated(bucket: number, flight: number): boolean;
  /** Notes the time from a packet's arrival in the queue to its acknowledgement. */
  onRound(bucket: number, length: Micros): void;
}

export class AckGate {
  readonly #pool: PacketPool;
  readonly #salt: number;
  readonly #key = new Int32Array(ENTRIES);
  readonly #bucket = new Uint16Array(ENTRIES);
  readonly #isWatched = new Uint8Array(ENTRIES);
  readonly #isThinned = new Uint8Array(ENTRIES);
  /** The highest sequence sent, what was acknowledged to the host, and where the round ends; TCP's, modulo 2^32. */
  readonly #sent = new Uint32Array(ENTRIES);
  readonly #acked = new Uint32Array(ENTRIES);
  readonly #roundEnd = new Uint32Array(ENTRIES);
  readonly #roundAt = new Float64Array(ENTRIES);
  readonly #roundLength = new Float64Array(ENTRIES);
  /** The most that was in flight in this round and in the one before. */
  readonly #flight = new Float64Array(ENTRIES);
  readonly #flightBefore = new Float64Array(ENTRIES);
  readonly #dull = new Uint8Array(ENTRIES);
  readonly #seenAt = new Float64Array(ENTRIES).fill(-FORGOTTEN);
  readonly #held = new Int32Array(ENTRIES).fill(NO_SLOT);
  readonly #due = new Float64Array(ENTRIES).fill(NEVER);
  /** Entries that hold something. */
  readonly #waiting: number[] = [];
  /** Acknowledgements not passed on because a later one spoke for them. */
  thinned = 0;

  /** @param salt random per run */
  constructor(pool: PacketPool, salt: number) {
    this.#pool = pool;
    this.#salt = salt;
  }

  /** Notes a TCP packet of the host, parsed in `parsed`, and marks retransmitted content. */
  onOutbound(now: Micros, slot: Slot, parsed: ParsedHeader): void {
    const { view } = this.#pool;
    const start = this.#pool.start[slot] as number;
    const at = start + parsed.transport;
    if (parsed.isFragment || parsed.transport + TCP_HEADER > parsed.length) return;
    const key = conversationHash(view, start, parsed, this.#salt);
    const entry = key & (ENTRIES - 1);
    const flags = tcpFlags(view, at);
    if ((flags & TCP_FLAG.SYN) !== 0) {
      this.#open(now, entry, key, tcpSequence(view, at) + 1, this.#pool.flow[slot] as number);
      return;
    }
    if (this.#key[entry] !== key || this.#isWatched[entry] === 0) return;
    const payload = parsed.length - parsed.transport - tcpHeaderSize(view, at);
    const end = (tcpSequence(view, at) + payload) >>> 0;
    if (after(end, this.#sent[entry] as number) > 0) this.#sent[entry] = end;
    else if (payload > 0) this.#pool.flags[slot] = (this.#pool.flags[slot] as number) | PACKET_FLAG.AGAIN;
    this.#seenAt[entry] = now;
  }

  /** Removes the acknowledgements that are to wait from `batch`, packets for the host from index `from` on. */
  filter(now: Micros, batch: PacketBatch, from: number, parsed: ParsedHeader, flows: GateFlows): void {
    let kept = from;
    for (let i = from; i < batch.count; i++) {
      const slot = batch.at(i);
      const stays = (this.#pool.length[slot] as number) > 140 || this.#passes(now, slot, parsed, flows);
      if (stays) batch.slots[kept++] = slot;
    }
    batch.count = kept;
  }

  /** Appends the held acknowledgements whose wait is over. */
  pollDue(now: Micros, batch: PacketBatch): void {
    for (let i = this.#waiting.length - 1; i >= 0 && !batch.isFull; i--) {
      const entry = this.#waiting[i] as number;
      if ((this.#due[entry] as number) > now) continue;
      batch.push(this.#takeHeld(entry));
    }
  }

  /** Returns when `pollDue` next has an acknowledgement. */
  deadline(): Micros {
    let at = NEVER;
    for (let i = 0; i < this.#waiting.length; i++) at = Math.min(at, this.#due[this.#waiting[i] as number] as number);
    return at;
  }

  #open(now: Micros, entry: number, key: number, sequence: number, bucket: number): void {
    if (this.#held[entry] !== NO_SLOT) this.#due[entry] = 0;
    if (this.#key[entry] !== key && now - (this.#seenAt[entry] as number) < FORGOTTEN && this.#isWatched[entry]) return;
    this.#key[entry] = key;
    this.#bucket[entry] = bucket;
    this.#isWatched[entry] = 1;
    this.#isThinned[entry] = 1;
    this.#sent[entry] = sequence;
    this.#acked[entry] = sequence;
    this.#roundEnd[entry] = sequence;
    this.#roundAt[entry] = now;
    this.#roundLength[entry] = 0;
    this.#flight[entry] = 0;
    this.#flightBefore[entry] = 0;
    this.#dull[entry] = 0;
    this.#seenAt[entry] = now;
  }

  /** False if the packet in `slot` was taken. */
  #passes(now: Micros, slot: Slot, parsed: ParsedHeader, flows: GateFlows): boolean {
    const { view } = this.#pool;
    const start = this.#pool.start[slot] as number;
    if (!parsed.parse(view, start, this.#pool.length[slot] as number) || parsed.protocol !== PROTOCOL.TCP) return true;
    if (parsed.isFragment || parsed.transport + TCP_HEADER > parsed.length) return true;
    const key = conversationHash(view, start, parsed, this.#salt);
    const entry = key & (ENTRIES - 1);
    if (this.#key[entry] !== key || this.#isWatched[entry] === 0) return true;
    const at = start + parsed.transport;
    const header = tcpHeaderSize(view, at);
    const isPlain =
      tcpFlags(view, at) === TCP_FLAG.ACK &&
      header <= LONGEST_PLAIN_HEADER &&
      parsed.transport + header === parsed.length;
    if (!isPlain) {
      // The handshake goes by; anything else that is not plain ends slow start, or does not wait.
      if ((tcpFlags(view, at) & TCP_FLAG.SYN) === 0 && header > LONGEST_PLAIN_HEADER) this.#dismiss(entry);
      return true;
    }
    return this.#weigh(now, entry, slot, tcpAcknowledgement(view, at), flows);
  }

  #weigh(now: Micros, entry: number, slot: Slot, ack: number, flows: GateFlows): boolean {
    const covered = after(ack, this.#acked[entry] as number);
    const flight = after(this.#sent[entry] as number, this.#acked[entry] as number);
    const left = after(this.#sent[entry] as number, ack);
    if (covered <= 0 || left < 0 || covered > flight) return true;
    this.#flight[entry] = Math.max(flight, this.#flight[entry] as number);
    const bucket = this.#bucket[entry] as number;
    if (this.#isThinned[entry] && flows.isSaturated(bucket, flight + covered)) this.#dismiss(entry);
    else if (
      this.#isThinned[entry] &&
      flows.needsAckGate &&
      left > 0 &&
      flight > SMALL_FLIGHT &&
      covered < SHARE * flight
    ) {
      this.#hold(now, entry, slot);
      return false;
    }
    this.#drop(entry);
    this.#acked[entry] = ack;
    if (after(ack, this.#roundEnd[entry] as number) >= 0) {
      this.#endRound(now, entry);
      flows.onRound(bucket, this.#roundLength[entry] as number);
    }
    return true;
  }

  #hold(now: Micros, entry: number, slot: Slot): void {
    const before = this.#held[entry] as number;
    this.#held[entry] = slot;
    if (before !== NO_SLOT) {
      this.thinned++;
      this.#pool.release(before);
      return;
    }
    const wait = WAIT_SHARE * (this.#roundLength[entry] as number);
    this.#due[entry] = now + Math.max(SHORTEST_WAIT, Math.min(LONGEST_WAIT, wait));
    this.#waiting.push(entry);
  }

  /** Drops the held acknowledgement, which is superseded. */
  #drop(entry: number): void {
    if (this.#held[entry] === NO_SLOT) return;
    this.thinned++;
    this.#pool.release(this.#takeHeld(entry));
  }

  #takeHeld(entry: number): Slot {
    const slot = this.#held[entry] as number;
    this.#held[entry] = NO_SLOT;
    this.#due[entry] = NEVER;
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    return slot;
  }

  /** Passes all acknowledgements from now on, a held one at once. */
  #dismiss(entry: number): void {
    this.#isThinned[entry] = 0;
    if (this.#held[entry] !== NO_SLOT) this.#due[entry] = 0;
  }

  #endRound(now: Micros, entry: number): void {
    this.#roundLength[entry] = now - (this.#roundAt[entry] as number);
    this.#roundAt[entry] = now;
    this.#roundEnd[entry] = this.#sent[entry] as number;
    const flight = this.#flight[entry] as number;
    const isDull = flight > SMALL_FLIGHT && flight < GROWTH * (this.#flightBefore[entry] as number);
    this.#flightBefore[entry] = flight;
    this.#flight[entry] = 0;
    this.#dull[entry] = isDull ? (this.#dull[entry] as number) + 1 : 0;
    if ((this.#dull[entry] as number) >= DULL_ROUNDS) this.#dismiss(entry);
  }
}

/** Returns how far `a` lies after `b` in TCP's sequence space. */
function after(a: number, b: number): number {
  return (a - b) | 0;
}
