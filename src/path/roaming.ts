// @hot
/**
 * Follows the peer to a new address, after a NAT rebound or a change of its own. Datagrams go to the new address at once, but until a challenge
 * sent there has been answered, no more than three times the bytes that came from it (RFC 9000, 8 and 9): anyone who sees an authentic datagram can
 * send it from anywhere, and the traffic must not follow. A datagram from the former address brings that back.
 */
import { type Micros, NEVER } from "../clock.ts";
import { createEndpoint, type Endpoint, sameEndpoint } from "../endpoint.ts";
import { CHALLENGE_TOKEN } from "../wire/challenge.ts";

/** RFC 9000, 8.1. */
const AMPLIFICATION = 3;
const MAX_CHALLENGES = 4;
const SHORTEST_WAIT: Micros = 50_000;
const LONGEST_WAIT: Micros = 1_000_000;

/** The part of a path that roams: where its datagrams go. */
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
  /** True while an address is in use that has not answered a challenge. */
  isProving = false;
  /** Token of the challenge in progress. */
  readonly token = new Uint8Array(CHALLENGE_TOKEN);
  /** Token of a challenge of the peer that is to be answered; undefined for none. */
  answer: Uint8Array | undefined;
  /** Bytes that may go to the new address. */
  #budget = 0;
  #challenges = 0;
  #nextAt: Micros = NEVER;

  /** @param place kept up to date */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Handles the newest datagram, of `bytes`, from an address that is not in use; returns true if the caller is to draw a new `token`. */
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

  /** Notes a further authentic datagram from the address in use. */
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

  /** Returns true if a challenge is to be sent now, and plans the next; without an answer to the last one, returns to the former address. */
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

  /** Returns when `takeChallenge` has something to do. */
  deadline(): Micros {
    return this.isProving ? this.#nextAt : NEVER;
  }

  /** Handles an answer of the peer; returns true if it validates the address. */
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
