// @hot
/**
 * ChaCha20-Poly1305 (RFC 8439) in JavaScript, in place in the arena: for processors without instructions for AES, and for who prefers it.
 * The header is authenticated, the messages are encrypted, and 16 bytes of tag follow.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { DROP } from "../drops.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import { Nonce } from "./nonce.ts";
import type { PathKeys } from "./path-keys.ts";
import type { Security } from "./security.ts";

const TAG_SIZE = 16;

export class ChaCha implements Security {
  readonly overhead = TAG_SIZE;
  readonly #sealKey: Uint8Array;
  readonly #openKey: Uint8Array;
  readonly #sealNonce: Nonce;
  readonly #openNonce: Nonce;

  constructor(keys: PathKeys) {
    this.#sealKey = keys.send.slice();
    this.#openKey = keys.receive.slice();
    this.#sealNonce = new Nonce(keys.sendIndex);
    this.#openNonce = new Nonce(keys.receiveIndex);
  }

  seal(pool: PacketPool, into: Slot, packetNumber: number, from: number, length: number): void {
    const { bytes } = pool;
    const start = pool.start[into] as number;
    const body = start + HEADER_SIZE;
    this.#sealNonce.set(packetNumber);
    const cipher = chacha20poly1305(this.#sealKey, this.#sealNonce.bytes, bytes.subarray(start, body));
    cipher.encrypt(bytes.subarray(from, from + length), bytes.subarray(body, body + length + TAG_SIZE));
    pool.length[into] = HEADER_SIZE + length + TAG_SIZE;
  }

  open(pool: PacketPool, slot: Slot, packetNumber: number): number {
    const { bytes } = pool;
    const start = pool.start[slot] as number;
    const body = start + HEADER_SIZE;
    const end = start + (pool.length[slot] as number) - TAG_SIZE;
    if (end < body) return DROP["datagram-truncated"];
    this.#openNonce.set(packetNumber);
    const cipher = chacha20poly1305(this.#openKey, this.#openNonce.bytes, bytes.subarray(start, body));
    try {
      cipher.decrypt(bytes.subarray(body, end + TAG_SIZE), bytes.subarray(body, end));
    } catch {
      // The library checks the tag before it touches the output.
      return DROP["datagram-forged"];
    }
    pool.length[slot] = end - start;
    return 0;
  }
}
