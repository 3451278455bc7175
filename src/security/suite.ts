/**
 * The suites that protect datagrams, and their numbers on the wire. A suite makes the security of a path from its keys. It holds what paths
 * share: the sequence that this portal counts with and the replay window of each run of the peer.
 */
import type { CipherName, Ciphers } from "../ports.ts";
import { Blake2sGenerator, Blake2sVerifier, MAC_SIZE } from "./blake2s.ts";
import type { PathKeys } from "./path-keys.ts";
import { TAG_SIZE } from "./portable-ciphers.ts";
import { SharedSequenceGenerator, SharedSequenceVerifier } from "./replay-protection.ts";
import { Sealed } from "./sealed.ts";
import { type Security, SecurityChain } from "./security.ts";

export type SuiteName = "none" | "blake2s" | CipherName;

export interface SecuritySuite {
  /** The number by which an exchange names it; below 8. */
  readonly id: number;
  readonly name: SuiteName;
  /** Bytes that it adds to a datagram. */
  readonly overhead: number;
  create(keys: PathKeys): Security;
}

/** Number of runs of the peer whose window is remembered; a path keeps its own alive beyond that. */
const REMEMBERED_RUNS = 8;

/** The dissertation's chain: shared data sequence, then keyed BLAKE2s. */
export class Blake2sSuite implements SecuritySuite {
  readonly id = 1;
  readonly name = "blake2s";
  readonly #sequence = new SharedSequenceGenerator();
  readonly #windows = new Map<string, SharedSequenceVerifier>();
  readonly overhead = this.#sequence.size + MAC_SIZE;

  create({ send, receive, peerRun }: PathKeys): Security {
    const window = this.#windows.get(peerRun) ?? new SharedSequenceVerifier();
    this.#windows.delete(peerRun);
    this.#windows.set(peerRun, window);
    for (const run of this.#windows.keys()) {
      if (this.#windows.size <= REMEMBERED_RUNS) break;
      this.#windows.delete(run);
    }
    return new SecurityChain([this.#sequence, new Blake2sGenerator(send)], [window, new Blake2sVerifier(receive)]);
  }
}

/** No protection, for use inside another secured network (dissertation 2.2.3). */
export class NoSecuritySuite implements SecuritySuite {
  readonly id = 0;
  readonly name = "none";
  readonly overhead = 0;

  create(): Security {
    return new SecurityChain([], []);
  }
}

/** Numbers of the sealing suites. */
const SEALED_IDS = { "aes-256-gcm": 2, "chacha20-poly1305": 3 } as const;

export class SealedSuite implements SecuritySuite {
  readonly id: number;
  readonly name: CipherName;
  readonly overhead = TAG_SIZE;
  readonly #ciphers: Ciphers;

  constructor(name: CipherName, ciphers: Ciphers) {
    this.name = name;
    this.id = SEALED_IDS[name];
    this.#ciphers = ciphers;
  }

  create(keys: PathKeys): Security {
    return new Sealed(this.#ciphers, this.name, keys);
  }
}
