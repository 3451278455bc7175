/**
 * Leaves out a packet number now and then, so that a peer which acknowledges datagrams that it has not received is found out (RFC 9000, 21.4):
 * it also acknowledges the number that was left out. Such a peer would have this end send faster than its paths carry.
 */
import type { Micros } from "../clock.ts";
import type { RandomBytes } from "../random.ts";
import type { Ack } from "../wire/ack.ts";
import { isReceived } from "./loss.ts";
import type { SentPackets } from "./sent-packets.ts";

/**
 * Numbers from one that is left out to the next: at least this, and up to twice as many. The first comes sooner, but not while the rate is
 * being found: the receiver takes the gap for a loss, and acknowledges at other times than it would.
 */
const DISTANCE = 65_536;
const FIRST_DISTANCE = 4_096;

export class SkippedNumber {
  readonly #random: RandomBytes;
  /** The number that was left out last, -1 for none that an acknowledgement may still be about. */
  #number = -1;
  #next: number;

  /** @param random cryptographic, so that the peer cannot tell the next number */
  constructor(random: RandomBytes) {
    this.#random = random;
    this.#next = this.#draw(FIRST_DISTANCE);
  }

  /** Leaves out the next packet number, if it is time for that. Fragments of a packet need consecutive numbers, so not between them. */
  leaveOut(now: Micros, sent: SentPackets): void {
    if (sent.next < this.#next) return;
    this.#number = sent.add(now, 0, 0, -1);
    this.#next = sent.next + this.#draw(DISTANCE);
  }

  /** Returns true if `ack` acknowledges the number that was left out. */
  isClaimed(sent: SentPackets, ack: Ack): boolean {
    return this.#number >= sent.oldest && isReceived(sent, ack, this.#number);
  }

  #draw(distance: number): number {
    const bytes = new Uint8Array(2);
    this.#random(bytes);
    return distance + Math.floor((distance * (256 * (bytes[0] as number) + (bytes[1] as number))) / 65_536);
  }
}
