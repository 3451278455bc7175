/**
 * X25519 (RFC 7748) by the runtime's own library: the same inputs give the same outputs, and there is no state.
 * Raw keys of 32 bytes go in and out; the library wants them in their DER envelopes (RFC 8410).
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import type { X25519 } from "../ports.ts";
import { secretBytes } from "./blake2s.ts";

export const X25519_SIZE = 32;

const PRIVATE_ENVELOPE = Uint8Array.fromHex("302e020100300506032b656e04220420");
const PUBLIC_ENVELOPE = Uint8Array.fromHex("302a300506032b656e032100");

/** X25519 by the runtime's library. Its copies of keys are objects of the collector and are erased only when that finds them. */
export const RUNTIME_X25519: X25519 = {
  publicKey(privateKey) {
    const { buffer, byteOffset, length } = createPublicKey(privateObject(privateKey)).export({
      format: "der",
      type: "spki",
    });
    return new Uint8Array(buffer, byteOffset + length - X25519_SIZE, X25519_SIZE).slice();
  },
  agree(privateKey, publicKey) {
    try {
      const key = createPublicKey({ key: enveloped(PUBLIC_ENVELOPE, publicKey), format: "der", type: "spki" });
      const result = diffieHellman({ privateKey: privateObject(privateKey), publicKey: key });
      const secret = secretBytes(X25519_SIZE);
      secret.set(result);
      result.fill(0);
      return secret.some((byte) => byte !== 0) ? secret : undefined;
    } catch {
      return undefined;
    }
  },
};

/** A private key, in memory of its own, and the public key that belongs to it. */
export class KeyPair {
  readonly publicKey: Uint8Array;
  readonly #private = secretBytes(X25519_SIZE);
  readonly #library: X25519;

  /** @param privateKey any 32 bytes, copied; X25519 itself clears and sets the bits that make a scalar of them */
  constructor(privateKey: Uint8Array, library: X25519 = RUNTIME_X25519) {
    this.#private.set(privateKey.subarray(0, X25519_SIZE));
    this.#library = library;
    this.publicKey = library.publicKey(this.#private);
  }

  /** Returns the secret shared with the owner of `publicKey`, which the caller erases; undefined for a key of low order. */
  agree(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#library.agree(this.#private, publicKey);
  }

  /** Erases the private key. */
  wipe(): void {
    this.#private.fill(0);
  }
}

/** False for a point of low order: with it every private key gives the same "secret". */
export function isPublicKey(publicKey: Uint8Array): boolean {
  return new KeyPair(new Uint8Array(X25519_SIZE).fill(1)).agree(publicKey) !== undefined;
}

/** Clears and sets the bits that RFC 7748 fixes, as `wg genkey` does. */
export function clampPrivateKey(bytes: Uint8Array): void {
  bytes[0] = (bytes[0] as number) & 0xf8;
  bytes[31] = ((bytes[31] as number) & 0x7f) | 0x40;
}

function privateObject(privateKey: Uint8Array): KeyObject {
  const key = enveloped(PRIVATE_ENVELOPE, privateKey);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } finally {
    key.fill(0);
  }
}

function enveloped(envelope: Uint8Array, key: Uint8Array): Buffer {
  const out = Buffer.from(new ArrayBuffer(envelope.length + X25519_SIZE));
  out.set(envelope);
  out.set(key.subarray(0, X25519_SIZE), envelope.length);
  return out;
}
