// @hot
/**
 * Seals datagrams with a key for each direction. The header is authenticated, the messages are encrypted, and the tag follows. The
 * packet number makes the nonce; the path sees to it that none is used twice in a direction.
 */
import { DROP } from "../drops.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import type { Aead, CipherName, Ciphers } from "../ports.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";
import { Nonce } from "./nonce.ts";
import type { PathKeys } from "./path-keys.ts";
import { TAG_SIZE } from "./portable-ciphers.ts";
import type { Security } from "./security.ts";

export class Sealed implements Security {
  readonly overhead = TAG_SIZE;
  readonly #sealer: Aead;
  readonly #opener: Aead;
  readonly #sealNonce: Nonce;
  readonly #openNonce: Nonce;

  constructor(ciphers: Ciphers, cipher: CipherName, keys: PathKeys) {
    this.#sealer = ciphers.create(cipher, keys.send);
    this.#opener = ciphers.create(cipher, keys.receive);
    this.#sealNonce = new Nonce(keys.sendIndex);
    this.#openNonce = new Nonce(keys.receiveIndex);
  }

  seal(pool: PacketPool, into: Slot, packetNumber: number, from: number, length: number): void {
    this.#sealNonce.set(packetNumber);
    const to = (pool.start[into] as number) + HEADER_SIZE;
    this.#sealer.seal(pool.bytes, this.#sealNonce.bytes, from, length, to);
    pool.length[into] = HEADER_SIZE + length + TAG_SIZE;
  }

  open(pool: PacketPool, slot: Slot, packetNumber: number): number {
    const length = (pool.length[slot] as number) - HEADER_SIZE - TAG_SIZE;
    if (length < 0) return DROP["datagram-truncated"];
    this.#openNonce.set(packetNumber);
    const at = (pool.start[slot] as number) + HEADER_SIZE;
    if (!this.#opener.open(pool.bytes, this.#openNonce.bytes, at, length)) return DROP["datagram-forged"];
    pool.length[slot] = HEADER_SIZE + length;
    return 0;
  }

  wipe(): void {
    this.#sealer.wipe();
    this.#opener.wipe();
  }
}
