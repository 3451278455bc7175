/**
 * Message authentication with keyed BLAKE2s (RFC 7693), 16 bytes, over every byte of header and payload.
 * Integrity only: the payload stays readable.
 */
import { _BLAKE2s, blake2s } from "@noble/hashes/blake2.js";
import { DROP } from "../drops.ts";
import type { MacGenerator, MacVerifier } from "./security.ts";

export const MAC_SIZE = 16;
export const KEY_SIZE = 32;

/** Keyed BLAKE2s that hashes its key once; each message starts from a copy of that state. */
export class KeyedBlake2s {
  readonly #keyed: _BLAKE2s;
  readonly #running: _BLAKE2s;
  /** The last result; on four-byte boundaries, as the library demands. */
  readonly mac = new Uint8Array(new ArrayBuffer(MAC_SIZE));

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#keyed = new _BLAKE2s({ key, dkLen: MAC_SIZE });
    this.#running = new _BLAKE2s({ dkLen: MAC_SIZE });
  }

  /** Leaves the MAC of `message` in `mac`. */
  compute(message: Uint8Array): Uint8Array {
    this.#keyed._cloneInto(this.#running);
    this.#running.update(message);
    this.#running.digestInto(this.mac);
    return this.mac;
  }
}

export class Blake2sGenerator implements MacGenerator {
  readonly size = MAC_SIZE;
  readonly #hash: KeyedBlake2s;

  constructor(key: Uint8Array) {
    this.#hash = new KeyedBlake2s(key);
  }

  generate(bytes: Uint8Array, _view: DataView, start: number, end: number): void {
    const mac = this.#hash.compute(bytes.subarray(start, end));
    for (let i = 0; i < MAC_SIZE; i++) bytes[end + i] = mac[i] as number;
  }
}

export class Blake2sVerifier implements MacVerifier {
  readonly size = MAC_SIZE;
  readonly #hash: KeyedBlake2s;

  constructor(key: Uint8Array) {
    this.#hash = new KeyedBlake2s(key);
  }

  verify(bytes: Uint8Array, _view: DataView, start: number, end: number): number {
    return macEquals(this.#hash.compute(bytes.subarray(start, end)), bytes, end) ? 0 : DROP["datagram-forged"];
  }
}

/** Compares in a time that does not depend on where the two differ. */
export function macEquals(mac: Uint8Array, bytes: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let i = 0; i < mac.length; i++) difference |= (mac[i] as number) ^ (bytes[at + i] as number);
  return difference === 0;
}

/**
 * Derives a key for one purpose: BLAKE2s keyed with `key` over a label and the parts, each preceded by its length.
 * @param key 32 bytes
 * @returns 32 bytes
 */
export function deriveKey(key: Uint8Array, label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = blake2s.create({ key, dkLen: KEY_SIZE });
  for (const part of [new TextEncoder().encode(label), ...parts]) {
    hash.update(Uint8Array.of(part.length >>> 8, part.length & 0xff)).update(part);
  }
  return hash.digest();
}
