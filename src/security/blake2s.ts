/**
 * Message authentication with keyed BLAKE2s (RFC 7693), 16 bytes, over every byte of header and payload.
 * Integrity only: the payload stays readable.
 */
import { _BLAKE2s } from "@noble/hashes/blake2.js";
import { DROP } from "../drops.ts";
import type { MacGenerator, MacVerifier } from "./security.ts";

export const MAC_SIZE = 16;
const KEY_SIZE = 32;
const HASH_SIZE = 32;
const BLOCK_SIZE = 64;
const NO_KEY = new Uint8Array(KEY_SIZE);

/** Keyed BLAKE2s that hashes its key once; each message starts from a copy of that state. */
export class KeyedBlake2s {
  readonly #keyed: _BLAKE2s;
  readonly #running: _BLAKE2s;
  /** The last result; on four-byte boundaries, as the library demands. */
  readonly mac = new Uint8Array(new ArrayBuffer(MAC_SIZE));

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#keyed = keyedHash(key, MAC_SIZE);
    this.#running = new _BLAKE2s({ dkLen: MAC_SIZE });
  }

  /** Leaves the MAC of `message` in `mac`. */
  compute(message: Uint8Array): Uint8Array {
    this.#keyed._cloneInto(this.#running);
    this.#running.update(message);
    this.#running.digestInto(this.mac);
    return this.mac;
  }

  /** Erases the key. */
  wipe(): void {
    this.#keyed.destroy();
    this.#running.destroy();
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

  wipe(): void {
    this.#hash.wipe();
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

  wipe(): void {
    this.#hash.wipe();
  }
}

/** Compares in a time that does not depend on where the two differ. */
export function macEquals(mac: Uint8Array, bytes: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let i = 0; i < mac.length; i++) difference |= (mac[i] as number) ^ (bytes[at + i] as number);
  return difference === 0;
}

/**
 * Returns zeros in memory of their own for a secret. The runtime keeps a small typed array among its objects and moves the contents out when
 * somebody asks for the buffer, as the libraries do; what was in the former place stays until that is used again.
 */
export function secretBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Returns BLAKE2s with its key taken in. The library's own way to give it a key leaves a copy of that behind. */
function keyedHash(key: Uint8Array, size: number): _BLAKE2s {
  const hash = new _BLAKE2s({ key: NO_KEY, dkLen: size });
  (hash as unknown as { readonly buffer: Uint8Array }).buffer.set(key);
  return hash;
}

/** Finishes `hash` and erases its state; returns the result. */
function finish(hash: _BLAKE2s): Uint8Array {
  const out = secretBytes(hash.outputLen);
  hash.digestInto(out);
  hash.destroy();
  return out;
}

/**
 * Derives a key for one purpose: BLAKE2s keyed with `key` over a label and the parts, each preceded by its length.
 * @param key 32 bytes
 * @returns 32 bytes
 */
export function deriveKey(key: Uint8Array, label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = keyedHash(key, KEY_SIZE);
  for (const part of [new TextEncoder().encode(label), ...parts]) {
    hash.update(Uint8Array.of(part.length >>> 8, part.length & 0xff)).update(part);
  }
  return finish(hash);
}

/**
 * Computes HMAC with BLAKE2s (RFC 2104), without a copy of key or message left behind.
 * @param key at most 64 bytes
 * @param message in memory of its own, see `secretBytes`
 */
export function hmacBlake2s(key: Uint8Array, message: Uint8Array): Uint8Array {
  const pad = secretBytes(BLOCK_SIZE);
  pad.set(key);
  for (let i = 0; i < BLOCK_SIZE; i++) pad[i] = (pad[i] as number) ^ 0x36;
  const inner = finish(new _BLAKE2s({ dkLen: HASH_SIZE }).update(pad).update(message));
  for (let i = 0; i < BLOCK_SIZE; i++) pad[i] = (pad[i] as number) ^ 0x36 ^ 0x5c;
  const out = finish(new _BLAKE2s({ dkLen: HASH_SIZE }).update(pad).update(inner));
  pad.fill(0);
  inner.fill(0);
  return out;
}
