/**
 * The two edges of the core, in the dissertation's words (section 3.1): a source and a sink towards the host,
 * producers and consumers towards the network. These are types only; `dataplane/`, `ffi/` and the simulator implement them.
 */
import type { Endpoint } from "./endpoint.ts";
import type { PacketBatch } from "./memory/packet-batch.ts";

/** IP packets from the host. */
export interface Source {
  /**
   * Appends the packets that are ready to `batch`, each packet in a slot of its own with full headroom; the caller owns the slots.
   * @returns packets appended, 0 when there is nothing now
   */
  read(batch: PacketBatch): number;
}

/** IP packets to the host. */
export interface Sink {
  /**
   * Hands over every packet of `batch` and releases its slots, those of packets that the host refuses too.
   * @returns packets the host took
   */
  write(batch: PacketBatch): number;
}

/** Datagrams from the network. */
export interface Producer {
  /**
   * Appends datagrams of one sender to `batch` and sets `batch.remote` and `batch.local`; the caller owns the slots.
   * A datagram longer than a slot comes with length 0: it is to be dropped as truncated.
   * @returns datagrams appended, 0 when there is nothing now, -1 when the connection has ended
   */
  receive(batch: PacketBatch): number;
}

/** Datagrams to the network. */
export interface Consumer {
  /**
   * Sends datagrams from the front of `batch`; slots stay the caller's.
   * `local` with family 0 leaves the choice of the source address to the kernel. A connected transport ignores both endpoints.
   * @returns datagrams taken from the front (sent, or lost as the network may), fewer than `batch.count` when the
   * transport is full for now, -1 when the connection has ended
   */
  send(batch: PacketBatch, remote: Endpoint, local: Endpoint): number;
}

/** Authenticated encryption under one key and in one direction: AES-256-GCM or ChaCha20-Poly1305 with 96 bits of nonce and a tag of 128. */
export interface Aead {
  /**
   * Encrypts the `length` bytes at `from` to `to`, which is the same place or does not overlap it, and puts the tag behind.
   * The 8 bytes in front of `to` are authenticated as well.
   * @param bytes always the same few arrays, over memory that does not move
   * @param nonce 12 bytes; always the same array, with other contents
   */
  seal(bytes: Uint8Array, nonce: Uint8Array, from: number, length: number, to: number): void;
  /** Decrypts the `length` bytes at `at` in place if they, the tag behind and the 8 bytes in front are authentic; otherwise changes nothing. */
  open(bytes: Uint8Array, nonce: Uint8Array, at: number, length: number): boolean;
  /** Erases the key; nothing opens afterwards, and nothing must be sealed. */
  wipe(): void;
}

/** X25519 (RFC 7748) on raw keys of 32 bytes, without state. */
export interface X25519 {
  /** Returns the public key that belongs to `privateKey`. */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /** Returns the shared secret, which the caller erases; undefined for a public key of low order, with which there is none. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

export type CipherName = "aes-256-gcm" | "chacha20-poly1305";

/** A library's ciphers. Libraries differ in speed and in how well they erase keys, not in their results. */
export interface Ciphers {
  readonly name: string;
  readonly x25519: X25519;
  /** @param key 32 bytes, copied */
  create(cipher: CipherName, key: Uint8Array): Aead;
}
