// @hot
/**
 * Network to host, in the order a datagram meets the steps: find the path, check that the datagram is new and authentic, follow the
 * address, read the messages. No state changes before the datagram is authenticated. Bad input is counted and released, never thrown.
 */
import type { Micros } from "../../clock.ts";
import { DROP } from "../../drops.ts";
import { type Endpoint, sameEndpoint } from "../../endpoint.ts";
import { NO_SLOT, type Slot } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { ABANDON_SIZE, abandonCount } from "../../wire/abandon.ts";
import { Ack } from "../../wire/ack.ts";
import { CHALLENGE_SIZE, challengeToken, isChallengeAnswer } from "../../wire/challenge.ts";
import { CLOSE_SIZE, closeReason } from "../../wire/close.ts";
import { bucketOf, classOf, DATA_FLAG, DATA_SIZE, flagsOf, sequenceOf } from "../../wire/data.ts";
import { HEADER_SIZE, indexOf, packetNumberOf, phaseOf, TYPE, typeOf } from "../../wire/datagram.ts";
import { FRAGMENT_SIZE, Fragment } from "../../wire/fragment.ts";
import { HOLD_SIZE, holdTime } from "../../wire/hold.ts";
import type { ParsedHeader } from "../../wire/ip.ts";
import { isLinkMetered, LINK_SIZE, linkLimit } from "../../wire/link-limits.ts";
import { MESSAGE, messageAt } from "../../wire/message-types.ts";
import { PROBE_SIZE } from "../../wire/probe.ts";
import { isRekeyAnswer, REKEY_SIZE, rekeyEpoch, rekeySize } from "../../wire/rekey.ts";
import { drop, type PortalContext } from "../context.ts";
import { Delivery } from "./delivery.ts";
import { Reassembly } from "./reassembly.ts";

/** Receives what concerns the rest of the portal. */
export interface InboundEvents {
  /** Handles an exchange message of any type, unchecked. */
  onExchange(now: Micros, socket: number, message: Uint8Array, type: number, remote: Endpoint, local: Endpoint): void;
  /** Handles the first authentic datagram of a path that this end did not initiate. */
  onConfirmed(now: Micros, path: Path): void;
  onClosed(now: Micros, path: Path, reason: number): void;
  /** Handles a path whose peer acknowledged what was never sent. */
  onDeceived(now: Micros, path: Path): void;
  /** Handles a REKEY message; returns false if it is invalid. */
  onRekey(now: Micros, path: Path, isAnswer: boolean, epoch: number, message: Uint8Array): boolean;
  /** Handles a DIAGNOSIS message at `at`; returns its size, or -1 if it is malformed. */
  onDiagnosis(now: Micros, path: Path, at: number, end: number): number;
  /** Handles a TCP packet for the host, at `start` in the arena. */
  onArrival(now: Micros, start: number, parsed: ParsedHeader): void;
  /** Handles a suspect path that answers again and is up. */
  onAnswered(now: Micros, path: Path): void;
}

export class Inbound {
  readonly #context: PortalContext;
  readonly #events: InboundEvents;
  readonly #ack = new Ack();
  readonly #fragment = new Fragment();
  readonly reassembly: Reassembly;
  readonly delivery: Delivery;
  /** Reinjections and duplicates received. */
  redundant = 0;
  /** Set by a malformed message. */
  #malformed = false;
  /** Set when the datagram asks for an acknowledgement, and when at once. */
  #asksForAck = false;
  #urgent = false;
  /** Set when the slot was passed on with a packet. */
  #handedOn = false;

  constructor(context: PortalContext, events: InboundEvents) {
    this.#context = context;
    this.#events = events;
    this.reassembly = new Reassembly(context.pool, context.drops);
    this.delivery = new Delivery(context, (now, start, parsed) => events.onArrival(now, start, parsed));
  }

  /** Handles a datagram from the network and takes over its slot. */
  handleDatagram(now: Micros, socket: number, slot: Slot, remote: Endpoint, local: Endpoint): void {
    const context = this.#context;
    const { pool } = context;
    const start = pool.start[slot] as number;
    const length = pool.length[slot] as number;
    if (length < HEADER_SIZE) return drop(context, slot, "datagram-truncated");
    const type = typeOf(pool.view, start);
    if (type !== TYPE.TRANSPORT) return this.#handOver(now, socket, slot, type, remote, local);
    const path = context.paths.find(indexOf(pool.view, start));
    if (!path) return drop(context, slot, "datagram-foreign");
    const isKnownRemote = sameEndpoint(remote, path.remote);
    if (!isKnownRemote && path.settings.isPinned) return drop(context, slot, "datagram-address");
    const packetNumber = path.packetNumber(packetNumberOf(pool.view, start));
    if (!path.received.isNew(packetNumber)) return drop(context, slot, "datagram-replayed");
    const reason = path.keys.open(pool, slot, phaseOf(pool.view, start), packetNumber);
    if (reason !== 0) {
      context.drops.count(reason);
      return pool.release(slot);
    }
    const before = path.received.largest;
    path.accept(now, packetNumber, length);
    const isNewest = path.received.largest > before;
    if (isKnownRemote) path.roaming.onReceived(length);
    if (isNewest && (!isKnownRemote || path.socket !== socket)) this.#roam(now, path, socket, remote, local, length);
    if (path.state === "exchanging") this.#events.onConfirmed(now, path);
    this.#readMessages(now, path, slot);
    if (this.#asksForAck) {
      const showsLoss = path.received.largest > before + 1 && !path.received.isReordering(now);
      path.acks.note(now, this.#urgent || showsLoss);
    }
    if (!this.#handedOn) pool.release(slot);
  }

  #handOver(now: Micros, socket: number, slot: Slot, type: number, remote: Endpoint, local: Endpoint): void {
    const { pool } = this.#context;
    if (type !== TYPE.EXCHANGE_INITIATION && type !== TYPE.EXCHANGE_RESPONSE && type !== TYPE.EXCHANGE_COOKIE) {
      return drop(this.#context, slot, "datagram-version");
    }
    const start = pool.start[slot] as number;
    const message = pool.bytes.slice(start, start + (pool.length[slot] as number));
    pool.release(slot);
    this.#events.onExchange(now, socket, message, type, remote, local);
  }

  /** Follows the peer to another address, as the datagram is authentic and the newest, and challenges it. */
  #roam(now: Micros, path: Path, socket: number, remote: Endpoint, local: Endpoint, length: number): void {
    if (path.roaming.onNewAddress(now, socket, remote, local, length)) this.#context.random(path.roaming.token);
  }

  #readChallenge(now: Micros, path: Path, at: number, end: number): number {
    if (!this.#fits(at, end, CHALLENGE_SIZE)) return end;
    const { bytes, view } = this.#context.pool;
    const token = challengeToken(bytes, at);
    if (!isChallengeAnswer(view, at)) path.roaming.answer = token;
    else if (path.roaming.onAnswer(token)) path.pathMtu.restart(now);
    return at + CHALLENGE_SIZE;
  }

  #readMessages(now: Micros, path: Path, slot: Slot): void {
    const { pool } = this.#context;
    this.#malformed = false;
    this.#asksForAck = false;
    this.#urgent = false;
    this.#handedOn = false;
    let at = (pool.start[slot] as number) + HEADER_SIZE;
    const end = (pool.start[slot] as number) + (pool.length[slot] as number);
    while (at < end && !this.#malformed) at = this.#readMessage(now, path, slot, at, end);
    if (this.#malformed) this.#context.drops.count(DROP["message-malformed"]);
  }

  /** Handles the message at `at`; returns where the next one begins. */
  #readMessage(now: Micros, path: Path, slot: Slot, at: number, end: number): number {
    switch (messageAt(this.#context.pool.view, at)) {
      case MESSAGE.DATA:
        return this.#readData(now, slot, at, end);
      case MESSAGE.ACK:
        return this.#readAck(now, at, end);
      case MESSAGE.PROBE:
        this.#asksForAck = true;
        this.#urgent = true;
        return at + PROBE_SIZE;
      case MESSAGE.CLOSE:
        return this.#readClose(now, path, at, end);
      case MESSAGE.HOLD:
        return this.#readHold(at, end);
      case MESSAGE.ABANDON:
        return this.#readAbandon(now, at, end);
      case MESSAGE.FRAG:
        return this.#readFragment(now, path, at, end);
      case MESSAGE.LINK:
        return this.#readLink(path, at, end);
      case MESSAGE.CHALLENGE:
        return this.#readChallenge(now, path, at, end);
      case MESSAGE.REKEY:
        return this.#readRekey(now, path, at, end);
      case MESSAGE.DIAGNOSIS:
        return this.#readDiagnosis(now, path, at, end);
      case MESSAGE.PAD:
        // Nothing but padding measures the path.
        if (at === (this.#context.pool.start[slot] as number) + HEADER_SIZE) this.#asksForAck = true;
        return end;
      default:
        this.#malformed = true;
        return end;
    }
  }

  #readDiagnosis(now: Micros, path: Path, at: number, end: number): number {
    const size = this.#events.onDiagnosis(now, path, at, end);
    this.#malformed = size < 0;
    return at + size;
  }

  #readClose(now: Micros, path: Path, at: number, end: number): number {
    if (!this.#fits(at, end, CLOSE_SIZE)) return end;
    this.#events.onClosed(now, path, closeReason(this.#context.pool.view, at));
    return at + CLOSE_SIZE;
  }

  #readHold(at: number, end: number): number {
    if (!this.#fits(at, end, HOLD_SIZE)) return end;
    this.#context.resequencer.hold = holdTime(this.#context.pool.view, at);
    return at + HOLD_SIZE;
  }

  #readLink(path: Path, at: number, end: number): number {
    if (!this.#fits(at, end, LINK_SIZE)) return end;
    const { view } = this.#context.pool;
    path.setPeerLimits(isLinkMetered(view, at), linkLimit(view, at));
    return at + LINK_SIZE;
  }

  #readAbandon(now: Micros, at: number, end: number): number {
    if (!this.#fits(at, end, ABANDON_SIZE)) return end;
    const { pool, resequencer } = this.#context;
    resequencer.abandon(now, bucketOf(pool.view, at), sequenceOf(pool.view, at), abandonCount(pool.view, at));
    return at + ABANDON_SIZE;
  }

  #readRekey(now: Micros, path: Path, at: number, end: number): number {
    const { bytes, view } = this.#context.pool;
    this.#asksForAck = true;
    const size = rekeySize(view, at, end);
    this.#malformed = size < 0;
    if (this.#malformed) return end;
    const message = bytes.slice(at + REKEY_SIZE, at + size);
    const isRight = this.#events.onRekey(now, path, isRekeyAnswer(view, at), rekeyEpoch(view, at), message);
    if (!isRight) this.#context.drops.count(DROP["exchange-unexpected"]);
    return at + size;
  }

  /** True if a message of `size` bytes fits before `end`; otherwise it is malformed. */
  #fits(at: number, end: number, size: number): boolean {
    this.#malformed = end - at < size;
    return !this.#malformed;
  }

  #readAck(now: Micros, at: number, end: number): number {
    const size = this.#ack.read(this.#context.pool.view, at, end);
    if (size < 0) {
      this.#malformed = true;
      return end;
    }
    const path = this.#context.paths.find(this.#ack.index);
    if (!path) return at + size;
    const wasUp = path.isUp;
    if (!path.handleAck(now, this.#ack)) this.#context.drops.count(DROP["message-malformed"]);
    if (path.isDeceived) this.#events.onDeceived(now, path);
    if (path.isUp && !wasUp) this.#events.onAnswered(now, path);
    return at + size;
  }

  /** Reads a packet, the last message of its datagram: it stays in the datagram's slot. */
  #readData(now: Micros, slot: Slot, at: number, end: number): number {
    if (!this.#fits(at, end, DATA_SIZE)) return end;
    const { pool } = this.#context;
    const { view } = pool;
    const flags = flagsOf(view, at);
    this.#asksForAck = true;
    this.#handedOn = true;
    if ((flags & DATA_FLAG.REDUNDANT) !== 0) this.redundant++;
    pool.start[slot] = at + DATA_SIZE;
    pool.length[slot] = end - at - DATA_SIZE;
    pool.flow[slot] = bucketOf(view, at);
    pool.class[slot] = classOf(view, at);
    pool.sequence[slot] = sequenceOf(view, at);
    this.delivery.deliver(now, slot, flags);
    return end;
  }

  /** Reads a fragment, the last message of its datagram. */
  #readFragment(now: Micros, path: Path, at: number, end: number): number {
    const { pool } = this.#context;
    const fragment = this.#fragment;
    if (!fragment.read(pool.view, at, end) || fragment.length > pool.capacity) {
      this.#malformed = true;
      return end;
    }
    this.#asksForAck = true;
    // The packet number accepted last is that of this datagram.
    const { index } = path.settings;
    const slot = this.reassembly.add(now, index, path.received.latest, fragment, at + FRAGMENT_SIZE);
    if (slot === NO_SLOT) return end;
    this.delivery.deliver(now, slot, fragment.flags);
    return end;
  }
}
