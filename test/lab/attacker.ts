/**
 * Somebody on the way who sees what passes a link in one direction and adds to it, behind the link and so past its limits: datagrams that are
 * played back, changed in one bit, cut short or made up, and exchange messages of chance, from the address of the peer or another of its ports.
 */
import type { Micros } from "../../src/clock.ts";
import { TYPE } from "../../src/wire/datagram.ts";
import type { SeededRandom } from "../support/random.ts";

export const ATTACKS = ["replayed", "flipped", "truncated", "forged"] as const;
export type Attack = (typeof ATTACKS)[number];

const ETHERNET = 14;
const IP = 20;
const UDP = 8;
const DATAGRAM = ETHERNET + IP + UDP;
const IPV4 = 0x0800;
const PROTOCOL_UDP = 17;
/** Datagrams remembered; what is played back has passed some of that before. */
const REMEMBERED = 256;
const MICROS = 1e6;
/** Frames in one go, so that an attacker that was late does not keep everybody else waiting. */
const BURST = 64;

export class Attacker {
  readonly counts: Record<Attack, number> = { replayed: 0, flipped: 0, truncated: 0, forged: 0 };
  readonly #random: SeededRandom;
  readonly #seen: Uint8Array[] = [];
  #next = 0;
  #perSecond = 0;
  #left = 0;
  #dueAt: Micros = Number.POSITIVE_INFINITY;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get due(): Micros {
    return this.#seen.length === 0 ? Number.POSITIVE_INFINITY : this.#dueAt;
  }

  start(now: Micros, perSecond: number, count: number): void {
    this.#perSecond = perSecond;
    this.#left = count;
    this.#dueAt = count > 0 ? now : Number.POSITIVE_INFINITY;
  }

  /** Remembers a frame that came out of the link. */
  see(frame: Uint8Array): void {
    if (this.#left === 0 || !isDatagram(frame)) return;
    this.#seen[this.#next] = frame.slice();
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** Hands over the frames whose time has come. */
  act(now: Micros, send: (frame: Uint8Array) => boolean): void {
    for (let i = 0; i < BURST && this.due <= now; i++) {
      const attack = ATTACKS[this.#random.below(ATTACKS.length)] as Attack;
      if (send(this.#make(attack))) this.counts[attack]++;
      this.#left--;
      this.#dueAt = this.#left > 0 ? this.#dueAt + MICROS / this.#perSecond : Number.POSITIVE_INFINITY;
    }
  }

  #make(attack: Attack): Uint8Array {
    const random = this.#random;
    const known = (this.#seen[random.below(this.#seen.length)] as Uint8Array).slice();
    const size = known.length - DATAGRAM;
    if (attack === "flipped") {
      const at = DATAGRAM + random.below(size);
      known[at] = (known[at] as number) ^ (1 << random.below(8));
      return finish(known, size);
    }
    if (attack === "truncated") return finish(known, random.below(size));
    if (attack === "forged") return finish(this.#forge(known), size);
    return this.#moved(known);
  }

  /** Gives every other frame another source port. */
  #moved(frame: Uint8Array): Uint8Array {
    if (this.#random.chance(0.5))
      new DataView(frame.buffer).setUint16(ETHERNET + IP, 1_024 + this.#random.below(60_000));
    return finish(frame, frame.length - DATAGRAM);
  }

  /** Returns any bytes behind a header that names a path, or of an exchange. */
  #forge(frame: Uint8Array): Uint8Array {
    const random = this.#random;
    const header = frame.slice(DATAGRAM, DATAGRAM + 4);
    random.bytes(frame.subarray(DATAGRAM));
    frame.set(header, DATAGRAM);
    if (random.chance(0.2)) frame[DATAGRAM] = (1 + random.below(TYPE.EXCHANGE_COOKIE)) << 4;
    return this.#moved(frame);
  }
}

function isDatagram(frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const isPlain = frame.length > DATAGRAM && view.getUint16(12) === IPV4 && frame[ETHERNET] === 0x45;
  return isPlain && frame[ETHERNET + 9] === PROTOCOL_UDP && view.getUint16(ETHERNET + 6) % 0x4000 === 0;
}

/** Returns the frame with `size` bytes of datagram, lengths and header checksum right; IPv4 may do without UDP's (RFC 768). */
function finish(frame: Uint8Array, size: number): Uint8Array {
  const view = new DataView(frame.buffer);
  view.setUint16(ETHERNET + 2, IP + UDP + size);
  view.setUint16(ETHERNET + IP + 4, UDP + size);
  view.setUint16(ETHERNET + IP + 6, 0);
  view.setUint16(ETHERNET + 10, 0);
  let sum = 0;
  for (let at = ETHERNET; at < ETHERNET + IP; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(ETHERNET + 10, ~sum & 0xffff);
  return frame.subarray(0, DATAGRAM + size);
}
