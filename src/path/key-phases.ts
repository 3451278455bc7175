// @hot
/**
 * The keys of a path over time. Around a change both the former and the next ones open what arrives, told apart by the phase bit
 * of the header, so that nothing is lost:
 *
 *     initiator   has the answer: sends under the next keys at once, still opens what the former sealed
 *     responder   has answered: goes on under its keys until the first datagram under the next ones arrives
 *
 * Packet numbers go on across changes, so a number is used once under any key.
 */
import { MICROS_PER_SECOND, type Micros, NEVER } from "../clock.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import type { Security } from "../security/security.ts";

/** A REKEY message to be sent; `portal/links/rekeying.ts` makes it. */
export interface RekeyMessage {
  readonly isAnswer: boolean;
  readonly epoch: number;
  readonly message: Uint8Array;
}

/** Time after a change of keys within which datagrams sealed before it arrive. */
const FORMER_LIFETIME: Micros = 10 * MICROS_PER_SECOND;

export class KeyPhases {
  #current: Security;
  #former: Security | undefined;
  #next: Security | undefined;
  #formerUntil: Micros = NEVER;
  /** True if the last datagram was opened with the next keys. */
  #openedNext = false;
  /** Count of changes of the keys; its lowest bit is the phase in the header of datagrams sent. */
  epoch = 0;
  /** When the present keys came into use, and the first packet numbers sent and received under them. */
  since: Micros;
  sentFrom = 0;
  receivedFrom = 0;

  constructor(now: Micros, first: Security) {
    this.#current = first;
    this.since = now;
  }

  get phase(): number {
    return this.epoch & 1;
  }

  seal(pool: PacketPool, into: Slot, packetNumber: number, from: number, length: number): void {
    this.#current.seal(pool, into, packetNumber, from, length);
  }

  /** Opens with the keys the phase points to. Returns 0, or the index of a drop reason. */
  open(pool: PacketPool, slot: Slot, phase: number, packetNumber: number): number {
    this.#openedNext = false;
    if (phase === this.phase) return this.#current.open(pool, slot, packetNumber);
    if (this.#next) {
      const reason = this.#next.open(pool, slot, packetNumber);
      this.#openedNext = reason === 0;
      if (reason === 0 || !this.#former) return reason;
    }
    return (this.#former ?? this.#current).open(pool, slot, packetNumber);
  }

  /** Opens with `next` as well from now on, and uses it once the peer does. */
  expect(next: Security): void {
    this.#next?.wipe();
    this.#next = next;
  }

  /** Uses the next keys if the last datagram was opened with them, as the peer then uses them. */
  follow(now: Micros, sentFrom: number, receivedFrom: number): void {
    if (this.#openedNext && this.#next) this.use(now, this.#next, sentFrom, receivedFrom);
  }

  /** Changes the keys. */
  use(now: Micros, next: Security, sentFrom: number, receivedFrom: number): void {
    this.#former?.wipe();
    this.#former = this.#current;
    this.#formerUntil = now + FORMER_LIFETIME;
    this.#current = next;
    this.#next = undefined;
    this.#openedNext = false;
    this.epoch++;
    this.since = now;
    this.sentFrom = sentFrom;
    this.receivedFrom = receivedFrom;
  }

  /** Discards the former keys in time, so that nobody who takes the present ones reads former datagrams. */
  advance(now: Micros): void {
    if (now < this.#formerUntil) return;
    this.#former?.wipe();
    this.#former = undefined;
    this.#formerUntil = NEVER;
  }

  /** Returns when `advance` has something to do. */
  deadline(): Micros {
    return this.#formerUntil;
  }

  /** Erases all keys, when the path has ended; nothing must be sealed or opened afterwards. */
  wipe(): void {
    this.#current.wipe();
    this.#former?.wipe();
    this.#next?.wipe();
  }
}
