// @hot
/**
 * The ciphers that every runtime has: AES-256-GCM by its own library, which uses the processor's instructions and returns each result
 * in a buffer of its own; ChaCha20-Poly1305 (RFC 8439) in JavaScript, in place.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Aead, Ciphers } from "../ports.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import { RUNTIME_X25519 } from "./x25519.ts";

export const TAG_SIZE = 16;
const KEY_SIZE = 32;
const AES = "aes-256-gcm";

export const PORTABLE_CIPHERS: Ciphers = {
  name: "runtime",
  x25519: RUNTIME_X25519,
  create: (cipher, key) => (cipher === AES ? new RuntimeAesGcm(key) : new ScriptChaCha(key)),
};

class RuntimeAesGcm implements Aead {
  #key: KeyObject | undefined;
  readonly #header = new Uint8Array(new ArrayBuffer(HEADER_SIZE));
  readonly #tag = Buffer.from(new ArrayBuffer(TAG_SIZE));

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, from: number, length: number, to: number): void {
    if (!this.#key) throw new Error("broken invariant: nothing is sealed after the key was erased");
    const cipher = createCipheriv(AES, this.#key, nonce);
    cipher.setAAD(this.#headerBefore(bytes, to));
    bytes.set(cipher.update(bytes.subarray(from, from + length)), to);
    cipher.final();
    bytes.set(cipher.getAuthTag(), to + length);
  }

  open(bytes: Uint8Array, nonce: Uint8Array, at: number, length: number): boolean {
    if (!this.#key) return false;
    const decipher = createDecipheriv(AES, this.#key, nonce);
    decipher.setAAD(this.#headerBefore(bytes, at));
    const tag = this.#tag;
    for (let i = 0; i < TAG_SIZE; i++) tag[i] = bytes[at + length + i] as number;
    decipher.setAuthTag(tag);
    const opened = decipher.update(bytes.subarray(at, at + length));
    try {
      decipher.final();
    } catch {
      return false;
    }
    bytes.set(opened, at);
    return true;
  }

  /** Drops the key, which the library erases when the collector finds the object. */
  wipe(): void {
    this.#key = undefined;
  }

  #headerBefore(bytes: Uint8Array, at: number): Uint8Array {
    const header = this.#header;
    for (let i = 0; i < HEADER_SIZE; i++) header[i] = bytes[at - HEADER_SIZE + i] as number;
    return header;
  }
}

class ScriptChaCha implements Aead {
  readonly #key = new Uint8Array(new ArrayBuffer(KEY_SIZE));
  #isWiped = false;

  constructor(key: Uint8Array) {
    this.#key.set(key);
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, from: number, length: number, to: number): void {
    if (this.#isWiped) throw new Error("broken invariant: nothing is sealed after the key was erased");
    const cipher = chacha20poly1305(this.#key, nonce, bytes.subarray(to - HEADER_SIZE, to));
    cipher.encrypt(bytes.subarray(from, from + length), bytes.subarray(to, to + length + TAG_SIZE));
  }

  open(bytes: Uint8Array, nonce: Uint8Array, at: number, length: number): boolean {
    if (this.#isWiped) return false;
    const cipher = chacha20poly1305(this.#key, nonce, bytes.subarray(at - HEADER_SIZE, at));
    try {
      // The library checks the tag before it touches the output.
      cipher.decrypt(bytes.subarray(at, at + length + TAG_SIZE), bytes.subarray(at, at + length));
      return true;
    } catch {
      return false;
    }
  }

  wipe(): void {
    this.#key.fill(0);
    this.#isWiped = true;
  }
}
