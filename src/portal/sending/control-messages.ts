// @hot
/**
 * Decides which control messages are due on a path, and writes them into one datagram: acknowledgements, probe, hold time, limits, challenges,
 * abandoned packets, rekeying.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../../clock.ts";
import type { Slot } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { writeAbandon } from "../../wire/abandon.ts";
import { ACK_SIZE, Ack, MAX_RANGES } from "../../wire/ack.ts";
import { CHALLENGE_SIZE, writeChallenge } from "../../wire/challenge.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import { writeHold } from "../../wire/hold.ts";
import { writeLink } from "../../wire/link-limits.ts";
import { PROBE_SIZE, writePadding, writeProbe } from "../../wire/probe.ts";
import { writeRekey } from "../../wire/rekey.ts";
import type { PortalContext } from "../context.ts";
import type { Retransmissions } from "./retransmissions.ts";

/** Longest pause between probes of an idle path while users' packets flow, so that its state is known when it is needed; and how long they count as flowing. */
const ACTIVE_KEEPALIVE: Micros = MICROS_PER_SECOND;
const ACTIVE_FOR: Micros = 15 * MICROS_PER_SECOND;
/** Shortest time between two HOLD messages, and the relative change of the hold time that is worth one. */
const HOLD_INTERVAL: Micros = MICROS_PER_SECOND / 4;
const HOLD_CHANGE = 0.1;
/** A path relays the acknowledgements of paths that are slower by this, of so many at once. */
const RELAY_GAIN: Micros = 10_000;
const MAX_RELAYED = 3;
/** ABANDON messages in one datagram. */
const MAX_ABANDON = 16;

export class ControlMessages {
  readonly #context: PortalContext;
  readonly #retransmissions: Retransmissions;
  readonly #ack = new Ack();
  /** The hold time that was sent last, and when. */
  #sentHold: Micros = 0;
  #holdSentAt: Micros = -NEVER;

  constructor(context: PortalContext, retransmissions: Retransmissions) {
    this.#context = context;
    this.#retransmissions = retransmissions;
  }

  /** Returns what is due on `path` now, as bits of `DUE`. */
  due(now: Micros, path: Path): number {
    let due = path.roaming.takeChallenge(now, path.rtt.smoothed) ? DUE.CHALLENGE : 0;
    if (path.roaming.answer) due |= DUE.ANSWER;
    if (path.acks.dueAt(path.rtt.smoothed) <= now) due |= DUE.ACK;
    if (this.#probeDue(now, path)) due |= DUE.PROBE;
    if (path.roaming.isProving) return this.#affordable(path, due);
    if (path.rekey) due |= DUE.REKEY;
    if (!path.isUp) return due;
    // The probe gets it acknowledged.
    if (path.areLimitsDue(now)) due |= DUE.LINK | DUE.PROBE;
    if (this.relaysAcks(now, path)) due |= DUE.RELAYED_ACKS;
    if (this.#retransmissions.hasAbandoned) due |= DUE.ABANDON;
    if (this.#holdDue(now)) due |= DUE.HOLD;
    return due;
  }

  /** Writes the messages into an empty slot. */
  write(now: Micros, path: Path, slot: Slot, due: number): void {
    const { pool } = this.#context;
    const { view } = pool;
    const start = pool.start[slot] as number;
    let at = start;
    if (due & DUE.ACK) at = this.#writeAck(now, path, at);
    if (due & DUE.RELAYED_ACKS) at = this.#writeRelayed(now, path, at);
    if (due & DUE.HOLD) {
      const { hold } = this.#context.estimate;
      at = writeHold(view, at, hold);
      this.#sentHold = hold;
      this.#holdSentAt = now;
    }
    if (due & DUE.LINK) {
      const { own } = path.limits;
      at = writeLink(view, at, own.isMetered, own.in);
      path.limits.onSent(now, path.sent.next);
    }
    if (due & DUE.ABANDON) at = this.#writeAbandoned(at);
    if (due & DUE.REKEY) at = this.#writeRekey(path, at);
    if (due & DUE.CHALLENGE) at = writeChallenge(view, pool.bytes, at, path.roaming.token, false);
    if (due & DUE.ANSWER && path.roaming.answer) {
      at = writeChallenge(view, pool.bytes, at, path.roaming.answer, true);
      path.roaming.answer = undefined;
    }
    if (due & DUE.PROBE) at = writeProbe(view, at);
    pool.length[slot] = at - start;
  }

  /** Returns the part of `due` that may be sent to an address that is not validated yet. */
  #affordable(path: Path, due: number): number {
    const frame = HEADER_SIZE + this.#context.overhead + 2 * CHALLENGE_SIZE;
    if (path.roaming.allows(frame + ACK_SIZE + 4 * MAX_RANGES + PROBE_SIZE)) return due;
    return path.roaming.allows(frame) ? due & (DUE.CHALLENGE | DUE.ANSWER) : 0;
  }

  /** Writes `size` bytes of padding into an empty slot. */
  writePadding(slot: Slot, size: number): void {
    const { pool } = this.#context;
    const start = pool.start[slot] as number;
    writePadding(pool.bytes, start, size);
    pool.length[slot] = size;
  }

  /** Writes a probe padded to `size` bytes into an empty slot. */
  writePadded(slot: Slot, size: number): void {
    this.writePadding(slot, size);
    const { pool } = this.#context;
    writeProbe(pool.view, pool.start[slot] as number);
  }

  /** Returns when a probe is due on a path that is up. */
  keepAliveAt(now: Micros, path: Path): Micros {
    const { keepAlive } = path.settings;
    const isHurried = this.#isActive(now) && !path.limits.isMetered;
    return path.lastSentAt + (isHurried ? Math.min(ACTIVE_KEEPALIVE, keepAlive) : keepAlive);
  }

  #isActive(now: Micros): boolean {
    return now - this.#context.activity.lastPacketAt < ACTIVE_FOR;
  }

  #writeAck(now: Micros, path: Path, at: number): number {
    path.acks.sent(now);
    return this.#writeReport(now, path, at);
  }

  #writeReport(now: Micros, path: Path, at: number): number {
    if (path.received.largest < 0) return at;
    path.received.report(this.#ack, now);
    this.#ack.index = path.settings.peerIndex;
    return this.#ack.write(this.#context.pool.view, at);
  }

  /** True if `path` is the fastest and is to relay acknowledgements of slower paths now. */
  relaysAcks(now: Micros, path: Path): boolean {
    const { list } = this.#context.paths;
    for (let i = 0; i < list.length; i++) if (this.#isRelayed(now, list[i] as Path, path)) return this.#isFastest(path);
    return false;
  }

  #isRelayed(now: Micros, slower: Path, path: Path): boolean {
    if (slower === path || !path.isUp || !path.isMeasured || !slower.isMeasured) return false;
    return slower.arrival - path.arrival > RELAY_GAIN && slower.acks.isRelayWanted(now, slower.rtt.smoothed);
  }

  #isFastest(path: Path): boolean {
    const { list } = this.#context.paths;
    for (let i = 0; i < list.length; i++) {
      const other = list[i] as Path;
      if (other.isUp && other.isMeasured && other.arrival < path.arrival) return false;
    }
    return true;
  }

  #writeRelayed(now: Micros, path: Path, from: number): number {
    const { list } = this.#context.paths;
    let at = from;
    for (let i = 0, n = 0; i < list.length && n < MAX_RELAYED; i++) {
      const slower = list[i] as Path;
      if (!this.#isRelayed(now, slower, path)) continue;
      slower.acks.onRelayed(now, slower.rtt.smoothed);
      at = this.#writeReport(now, slower, at);
      n++;
    }
    return at;
  }

  #writeRekey(path: Path, at: number): number {
    const { rekey } = path;
    path.rekey = undefined;
    if (!rekey) return at;
    const { bytes, view } = this.#context.pool;
    return writeRekey(view, bytes, at, rekey.isAnswer, rekey.epoch, rekey.message);
  }

  #writeAbandoned(from: number): number {
    const { pool } = this.#context;
    const retransmissions = this.#retransmissions;
    let at = from;
    for (let n = 0; n < MAX_ABANDON && retransmissions.hasAbandoned; n++) {
      const bucket = retransmissions.abandonedBucket();
      at = writeAbandon(pool.view, at, bucket, retransmissions.abandonedSequence(), 1);
    }
    return at;
  }

  #holdDue(now: Micros): boolean {
    const { hold } = this.#context.estimate;
    if (hold === 0 || now - this.#holdSentAt < HOLD_INTERVAL || !this.#isActive(now)) return false;
    const change = Math.abs(hold - this.#sentHold);
    return change > HOLD_CHANGE * this.#sentHold || now - this.#holdSentAt > 8 * HOLD_INTERVAL;
  }

  #probeDue(now: Micros, path: Path): boolean {
    if (path.liveness.takeProbe(now, path.rtt) || path.isProbeWanted) {
      path.isProbeWanted = false;
      return true;
    }
    return path.isUp && now >= this.keepAliveAt(now, path);
  }
}

/** Control messages that may be due. */
export const DUE = {
  ACK: 1,
  PROBE: 2,
  HOLD: 4,
  ABANDON: 8,
  REKEY: 16,
  LINK: 64,
  CHALLENGE: 128,
  ANSWER: 256,
  RELAYED_ACKS: 512,
} as const;
