// @hot
/**
 * AES-256-GCM by the runtime's own library, which uses the processor's instructions. The header is authenticated, the messages are
 * encrypted, and 16 bytes of tag follow. The library returns each result in a buffer of its own: one copy a datagram.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { DROP } from "../drops.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import { Nonce } from "./nonce.ts";
import type { PathKeys } from "./path-keys.ts";
import type { Security } from "./security.ts";

const CIPHER = "aes-256-gcm";
const TAG_SIZE = 16;

export class AesGcm implements Security {
  readonly overhead = TAG_SIZE;
  readonly #sealKey: KeyObject;
  readonly #openKey: KeyObject;
  readonly #sealNonce: Nonce;
  readonly #openNonce: Nonce;
  readonly #header = new Uint8Array(new ArrayBuffer(HEADER_SIZE));
  readonly #tag = Buffer.from(new ArrayBuffer(TAG_SIZE));

  constructor(keys: PathKeys) {
    this.#sealKey = createSecretKey(keys.send);
    this.#openKey = createSecretKey(keys.receive);
    this.#sealNonce = new Nonce(keys.sendIndex);
    this.#openNonce = new Nonce(keys.receiveIndex);
  }

  seal(pool: PacketPool, into: Slot, packetNumber: number, from: number, length: number): void {
    const { bytes } = pool;
    const start = pool.start[into] as number;
    this.#sealNonce.set(packetNumber);
    const cipher = createCipheriv(CIPHER, this.#sealKey, this.#sealNonce.bytes);
    cipher.setAAD(this.#headerOf(bytes, start));
    bytes.set(cipher.update(bytes.subarray(from, from + length)), start + HEADER_SIZE);
    cipher.final();
    bytes.set(cipher.getAuthTag(), start + HEADER_SIZE + length);
    pool.length[into] = HEADER_SIZE + length + TAG_SIZE;
  }

  open(pool: PacketPool, slot: Slot, packetNumber: number): number {
    const { bytes } = pool;
    const start = pool.start[slot] as number;
    const end = start + (pool.length[slot] as number) - TAG_SIZE;
    if (end < start + HEADER_SIZE) return DROP["datagram-truncated"];
    this.#openNonce.set(packetNumber);
    const decipher = createDecipheriv(CIPHER, this.#openKey, this.#openNonce.bytes);
    decipher.setAAD(this.#headerOf(bytes, start));
    const tag = this.#tag;
    for (let i = 0; i < TAG_SIZE; i++) tag[i] = bytes[end + i] as number;
    decipher.setAuthTag(tag);
    const opened = decipher.update(bytes.subarray(start + HEADER_SIZE, end));
    try {
      decipher.final();
    } catch {
      return DROP["datagram-forged"];
    }
    bytes.set(opened, start + HEADER_SIZE);
    pool.length[slot] = end - start;
    return 0;
  }

  #headerOf(bytes: Uint8Array, start: number): Uint8Array {
    const header = this.#header;
    for (let i = 0; i < HEADER_SIZE; i++) header[i] = bytes[start + i] as number;
    return header;
  }
}
