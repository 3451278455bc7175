/**
 * The two MACs of an exchange message, after WireGuard (whitepaper, 5.4.4 and 5.4.7).
 *
 * - mac1 shows that the sender knows the addressee's public key (or the shared key). A sender that knows only the address gets no
 *   answer, and costs no more than one hash.
 * - mac2 shows that the sender has received, at the address it sends from, the cookie that the addressee demands under load.
 *
 * A cookie is sealed with BLAKE2s instead of WireGuard's XChaCha20-Poly1305, as under a flood every initiation is answered with one: masked
 * with one hash over a random nonce and the mac1 of the initiation, then authenticated with another over all of that.
 */
import { MICROS_PER_SECOND, type Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { RandomBytes } from "../random.ts";
import { deriveKey, KeyedBlake2s, macEquals } from "../security/blake2s.ts";
import { HEADER_SIZE, TYPE } from "../wire/datagram.ts";
import { COOKIE_MESSAGE_SIZE, COOKIE_NONCE_SIZE, exchangeHeader, MAC_SIZE } from "../wire/exchange-messages.ts";
import { concatenate } from "./noise.ts";

/** Lifetime of a cookie and of the secret it was made with, µs. */
export const COOKIE_LIFE: Micros = 120 * MICROS_PER_SECOND;

const ZEROS = new Uint8Array(32);

/** Keys of one addressee of exchange messages, derived from its public key or the shared key. */
export class AddressKeys {
  readonly #mac1: KeyedBlake2s;
  readonly #mask: KeyedBlake2s;
  readonly #tag: KeyedBlake2s;

  /** @param identity public key of the addressee, or the key it shares with us */
  constructor(identity: Uint8Array) {
    this.#mac1 = new KeyedBlake2s(deriveKey(ZEROS, "netcombiner 1 mac1", identity));
    this.#mask = new KeyedBlake2s(deriveKey(ZEROS, "netcombiner 1 cookie mask", identity));
    this.#tag = new KeyedBlake2s(deriveKey(ZEROS, "netcombiner 1 cookie tag", identity));
  }

  /** Returns the MAC over `covered`. */
  mac1(covered: Uint8Array): Uint8Array {
    return this.#mac1.compute(covered).slice();
  }

  hasMac1(message: Uint8Array, at: number): boolean {
    return macEquals(this.#mac1.compute(message.subarray(0, at)), message, at);
  }

  /** Makes a cookie message about the initiation with this mac1, which everyone can read who knows the addressee. */
  sealCookie(cookie: Uint8Array, mac1: Uint8Array, pattern: number, random: RandomBytes): Uint8Array {
    const nonce = new Uint8Array(COOKIE_NONCE_SIZE);
    random(nonce);
    const asked = concatenate(nonce, mac1);
    const masked = exclusiveOr(cookie, this.#mask.compute(asked));
    const tag = this.#tag.compute(concatenate(asked, masked));
    return concatenate(exchangeHeader(TYPE.EXCHANGE_COOKIE, 0, pattern), nonce, masked, tag);
  }

  /** Returns the cookie in a message about the initiation with this mac1; undefined if it is about another one or forged. */
  openCookie(message: Uint8Array, mac1: Uint8Array): Uint8Array | undefined {
    if (message.length !== COOKIE_MESSAGE_SIZE) return undefined;
    const at = HEADER_SIZE + COOKIE_NONCE_SIZE;
    const asked = concatenate(message.subarray(HEADER_SIZE, at), mac1);
    const masked = message.subarray(at, at + MAC_SIZE);
    if (!macEquals(this.#tag.compute(concatenate(asked, masked)), message, at + MAC_SIZE)) return undefined;
    return exclusiveOr(masked, this.#mask.compute(asked));
  }
}

/** Makes cookies and recognises its own, without any state for those who ask. */
export class CookieJar {
  readonly #random: RandomBytes;
  #secret = new KeyedBlake2s(ZEROS);
  #since: Micros = -COOKIE_LIFE;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** Returns the cookie of `remote`. */
  bake(now: Micros, remote: Endpoint): Uint8Array {
    if (now - this.#since >= COOKIE_LIFE) {
      const secret = new Uint8Array(32);
      this.#random(secret);
      this.#secret = new KeyedBlake2s(secret);
      this.#since = now;
    }
    return this.#secret.compute(remote).slice();
  }

  /** True if the last 16 bytes of `message` were made with the cookie of `remote`. */
  isShown(now: Micros, remote: Endpoint, message: Uint8Array): boolean {
    const at = message.length - MAC_SIZE;
    return macEquals(mac2(this.bake(now, remote), message), message, at);
  }
}

/** Returns the MAC keyed with `cookie` over an initiation without its last 16 bytes. */
export function mac2(cookie: Uint8Array, initiation: Uint8Array): Uint8Array {
  return new KeyedBlake2s(cookie).compute(initiation.subarray(0, initiation.length - MAC_SIZE));
}

function exclusiveOr(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] as number));
}
