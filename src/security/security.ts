// @hot
/**
 * Protects the datagrams of a path, in one of two ways: sealing (authenticated encryption, `sealed.ts`), or the dissertation's
 * chain (3.1.5): an ordered list of generators, each appending a footer computed over everything before it, and the verifiers
 * that check and strip the footers in reverse. Nothing of a datagram is used before all of it has been checked, and no verifier
 * changes state unless all outer ones have accepted.
 */
import { DROP } from "../drops.ts";
import type { PacketPool, Slot } from "../memory/packet-pool.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";

/** The generator of one footer. */
export interface MacGenerator {
  /** Size of the footer in bytes. */
  readonly size: number;
  /** Writes the footer at `end`, over the bytes from `start` to `end`. */
  generate(bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** Erases its key, if it has one. */
  wipe(): void;
}

/** The verifier of one footer. */
export interface MacVerifier {
  readonly size: number;
  /**
   * Checks the footer at `end`, over the bytes from `start` to `end`.
   * @returns 0 if it is right, else the index of a drop reason
   */
  verify(bytes: Uint8Array, view: DataView, start: number, end: number): number;
  /** Erases its key, if it has one. */
  wipe(): void;
}

/** The protection of a path under one pair of keys, one for each direction. A packet number must not be sealed twice by the same one. */
export interface Security {
  /** Bytes that it adds to a datagram. */
  readonly overhead: number;
  /**
   * Protects a datagram. Its header is in `into` already; its messages are the `length` bytes at offset `from` of the arena,
   * which may be the place right behind the header. Sets the length of `into`.
   */
  seal(pool: PacketPool, into: Slot, packetNumber: number, from: number, length: number): void;
  /** Checks and uncovers a datagram, whose length shrinks by `overhead`. Returns 0, or the index of a drop reason without any change. */
  open(pool: PacketPool, slot: Slot, packetNumber: number): number;
  /** Erases the keys; the object must not be used afterwards. */
  wipe(): void;
}

/** A chain of footers, which runs generators in order and verifiers in reverse. Both lists have the same footers in the same order. */
export class SecurityChain implements Security {
  readonly overhead: number;
  readonly generators: readonly MacGenerator[];
  readonly verifiers: readonly MacVerifier[];

  constructor(generators: readonly MacGenerator[], verifiers: readonly MacVerifier[]) {
    this.generators = generators;
    this.verifiers = verifiers;
    this.overhead = generators.reduce((sum, generator) => sum + generator.size, 0);
  }

  seal(pool: PacketPool, into: Slot, _packetNumber: number, from: number, length: number): void {
    const start = pool.start[into] as number;
    if (from !== start + HEADER_SIZE) pool.bytes.copyWithin(start + HEADER_SIZE, from, from + length);
    let end = start + HEADER_SIZE + length;
    for (let i = 0; i < this.generators.length; i++) {
      const generator = this.generators[i] as MacGenerator;
      generator.generate(pool.bytes, pool.view, start, end);
      end += generator.size;
    }
    pool.length[into] = end - start;
  }

  open(pool: PacketPool, slot: Slot, _packetNumber: number): number {
    const start = pool.start[slot] as number;
    let end = start + (pool.length[slot] as number);
    if (end - start < HEADER_SIZE + this.overhead) return DROP["datagram-truncated"];
    for (let i = this.verifiers.length - 1; i >= 0; i--) {
      const verifier = this.verifiers[i] as MacVerifier;
      end -= verifier.size;
      const reason = verifier.verify(pool.bytes, pool.view, start, end);
      if (reason !== 0) return reason;
    }
    pool.length[slot] = end - start;
    return 0;
  }

  wipe(): void {
    for (const generator of this.generators) generator.wipe();
    for (const verifier of this.verifiers) verifier.wipe();
  }
}
