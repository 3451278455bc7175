/**
 * Makes the security of a path from its two keys. Holds what paths share: the sequence this portal counts with
 * and the window of each run of the peer.
 */
import { Blake2sGenerator, Blake2sVerifier } from "./blake2s.ts";
import { createNoSecurity } from "./none.ts";
import { SharedSequenceGenerator, SharedSequenceVerifier } from "./repeat-protection.ts";
import { type Security, SecurityChain } from "./security.ts";

export interface SecuritySuite {
  /** The number by which an exchange names it. */
  readonly id: number;
  readonly name: string;
  /** Bytes a datagram grows by. */
  readonly overhead: number;
  /** @param peerRun the run of the peer, whose sequences are one space over all paths */
  create(sendKey: Uint8Array, receiveKey: Uint8Array, peerRun: string): Security;
}

/** Runs of the peer whose window is remembered; a path keeps its own alive beyond that. */
const REMEMBERED_RUNS = 8;

/** The dissertation's chain: shared data sequence, then keyed BLAKE2s. */
export class Blake2sSuite implements SecuritySuite {
  readonly id = 1;
  readonly name = "blake2s";
  readonly #sequence = new SharedSequenceGenerator();
  readonly #windows = new Map<string, SharedSequenceVerifier>();
  readonly overhead = this.#sequence.size + 16;

  create(sendKey: Uint8Array, receiveKey: Uint8Array, peerRun: string): Security {
    const window = this.#windows.get(peerRun) ?? new SharedSequenceVerifier();
    this.#windows.delete(peerRun);
    this.#windows.set(peerRun, window);
    for (const run of this.#windows.keys()) {
      if (this.#windows.size <= REMEMBERED_RUNS) break;
      this.#windows.delete(run);
    }
    return new SecurityChain(
      [this.#sequence, new Blake2sGenerator(sendKey)],
      [window, new Blake2sVerifier(receiveKey)],
    );
  }
}

export class NoSecuritySuite implements SecuritySuite {
  readonly id = 0;
  readonly name = "none";
  readonly overhead = 0;

  create(): Security {
    return createNoSecurity();
  }
}
