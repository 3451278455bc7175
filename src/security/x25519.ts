/**
 * X25519 (RFC 7748) by the runtime's own library: the same inputs give the same outputs, and there is no state.
 * Raw keys of 32 bytes go in and out; the library wants them in their DER envelopes (RFC 8410).
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";

export const X25519_SIZE = 32;

const PRIVATE_ENVELOPE = Uint8Array.fromHex("302e020100300506032b656e04220420");
const PUBLIC_ENVELOPE = Uint8Array.fromHex("302a300506032b656e032100");

/** A private key and the public key that belongs to it. */
export class KeyPair {
  readonly publicKey: Uint8Array;
  readonly #private: KeyObject;

  /** @param privateKey any 32 bytes; X25519 itself clears and sets the bits that make a scalar of them */
  constructor(privateKey: Uint8Array) {
    this.#private = createPrivateKey({ key: enveloped(PRIVATE_ENVELOPE, privateKey), format: "der", type: "pkcs8" });
    const { buffer, byteOffset, length } = createPublicKey(this.#private).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(buffer, byteOffset + length - X25519_SIZE, X25519_SIZE).slice();
  }

  /** Returns the secret shared with the owner of `publicKey`; undefined for a key of low order, with which there is none. */
  agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      const key = createPublicKey({ key: enveloped(PUBLIC_ENVELOPE, publicKey), format: "der", type: "spki" });
      const secret = Uint8Array.from(diffieHellman({ privateKey: this.#private, publicKey: key }));
      return secret.some((byte) => byte !== 0) ? secret : undefined;
    } catch {
      return undefined;
    }
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

function enveloped(envelope: Uint8Array, key: Uint8Array): Buffer {
  const out = Buffer.alloc(envelope.length + X25519_SIZE);
  out.set(envelope);
  out.set(key.subarray(0, X25519_SIZE), envelope.length);
  return out;
}
