// @hot
/**
 * The peer's address changed: a NAT rebound, or the peer has another one. Datagrams go to the new address at once, but until a challenge
 * sent there has been answered, no more than three times what came from it (RFC 9000, 8 and 9): whoever sees an authentic datagram can send
 * it on from anywhere, and the traffic must not follow. The former address is kept, and what comes from it ends the matter.
 */
import { type Micros, NEVER } from "../clock.ts";
import { createEndpoint, type Endpoint, sameEndpoint } from "../endpoint.ts";
import { CHALLENGE_TOKEN } from "../wire/challenge.ts";

/** RFC 9000, 8.1. */
const AMPLIFICATION = 3;
const MAX_CHALLENGES = 4;
const SHORTEST_WAIT: Micros = 50_000;
const LONGEST_WAIT: Micros = 1_000_000;

/** Where a path's datagrams go; the part of a path that roams. */
export interface Place {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  socket: number;
}

export class Roaming {
  readonly #place: Place;
  readonly #formerRemote = createEndpoint();
  readonly #formerLocal = createEndpoint();
  #formerSocket = 0;
  /** An address is in use that has not answered a challenge. */
  isProving = false;
  /** Token of the challenge under way. */
  readonly token = new Uint8Array(CHALLENGE_TOKEN);
  /** Token of the peer's challenge that is to be answered; undefined for none. */
  answer: Uint8Array | undefined;
  /** Bytes that may go to the new address. */
  #budget = 0;
  #challenges = 0;
  #nextAt: Micros = NEVER;

  /** @param place kept up to date */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Notes that the newest datagram, of `bytes`, came from an address that is not in use; returns true if a challenge is to be made up. */
  onNewAddress(now: Micros, socket: number, remote: Endpoint, local: Endpoint, bytes: number): boolean {
    const place = this.#place;
    if (this.isProving && sameEndpoint(remote, this.#formerRemote)) {
      this.#goBack();
      return false;
    }
    if (!this.isProving) {
      this.#formerRemote.set(place.remote);
      this.#formerLocal.set(place.local);
      this.#formerSocket = place.socket;
    }
    place.remote.set(remote);
    place.local.set(local);
    place.socket = socket;
    this.isProving = true;
    this.#budget = AMPLIFICATION * bytes;
    this.#challenges = 0;
    this.#nextAt = now;
    return true;
  }

  /** Notes another authentic datagram from the address in use. */
  onReceived(bytes: number): void {
    if (this.isProving) this.#budget += AMPLIFICATION * bytes;
  }

  onSent(bytes: number): void {
    if (this.isProving) this.#budget -= bytes;
  }

  /** True if so many bytes may be sent to the address in use. */
  allows(bytes: number): boolean {
    return !this.isProving || this.#budget >= bytes;
  }

  /** True if a challenge is to go now; the next one is then planned. Without an answer to the last, the former address is taken again. */
  takeChallenge(now: Micros, rtt: Micros): boolean {
    if (!this.isProving || now < this.#nextAt) return false;
    if (this.#challenges === MAX_CHALLENGES) {
      this.#goBack();
      return false;
    }
    const wait = Math.max(SHORTEST_WAIT, 1.5 * rtt) * 2 ** this.#challenges++;
    this.#nextAt = now + Math.min(LONGEST_WAIT, wait);
    return true;
  }

  /** Returns the time at which `takeChallenge` next has something to do. */
  deadline(): Micros {
    return this.isProving ? this.#nextAt : NEVER;
  }

  /** Takes in the peer's answer; returns true if that proves its address. */
  onAnswer(token: Uint8Array): boolean {
    if (!this.isProving || !this.token.every((byte, i) => byte === token[i])) return false;
    this.isProving = false;
    return true;
  }

  #goBack(): void {
    const place = this.#place;
    place.remote.set(this.#formerRemote);
    place.local.set(this.#formerLocal);
    place.socket = this.#formerSocket;
    this.isProving = false;
  }
}
