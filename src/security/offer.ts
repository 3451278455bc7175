/**
 * The suites that this end offers with their costs, and the choice between two offers: the common suite whose cost at the slower end is
 * least. A suite that was not offered is never chosen, and `auto` offers only suites that encrypt.
 */
import type { CipherName, Ciphers } from "../ports.ts";
import { PORTABLE_CIPHERS } from "./portable-ciphers.ts";
import { Blake2sSuite, NoSecuritySuite, SealedSuite, type SecuritySuite, type SuiteName } from "./suite.ts";

/** Nanoseconds that a suite takes for a datagram of 1400 bytes on this machine; what is missing was not measured. */
export type SuiteCosts = Readonly<Partial<Record<SuiteName, number>>>;

/** The suites of one end, as a hello carries them. */
export interface Offered {
  /** A bit for each suite, by its number. */
  readonly suites: number;
  /** Nanoseconds by suite number; 0 where not measured. */
  readonly costs: readonly number[];
}

export const NO_COMMON_SUITE = 0xff;
/** Numbers of suites are below this. */
const SUITE_COUNT = 4;

export class Offer implements Offered {
  readonly suites: number;
  readonly costs: readonly number[];
  /** Bytes that any of the suites adds to a datagram, the same for all of one offer. */
  readonly overhead: number;
  readonly #suites: readonly SecuritySuite[];

  constructor(suites: readonly SecuritySuite[], costs: SuiteCosts = {}) {
    this.#suites = suites;
    this.suites = suites.reduce((bits, suite) => bits | (1 << suite.id), 0);
    this.costs = Array.from({ length: SUITE_COUNT }, (_, id) => {
      const suite = this.find(id);
      return suite ? (costs[suite.name] ?? 0) : 0;
    });
    this.overhead = Math.max(...suites.map((suite) => suite.overhead));
  }

  find(id: number): SecuritySuite | undefined {
    return this.#suites.find((suite) => suite.id === id);
  }

  /** Returns the suite for both ends; undefined if none is common. The first offered wins a draw. */
  choose(peer: Offered): SecuritySuite | undefined {
    const common = this.#suites.filter((suite) => (peer.suites & (1 << suite.id)) !== 0);
    const costOf = ({ id }: SecuritySuite) => Math.max(this.costs[id] as number, peer.costs[id] ?? 0);
    return common.toSorted((a, b) => costOf(a) - costOf(b))[0];
  }
}

/** The suites among which `auto` chooses, the usual winner first. */
export const AUTO_SUITES: readonly CipherName[] = ["aes-256-gcm", "chacha20-poly1305"];

export function createSuite(name: SuiteName, ciphers: Ciphers = PORTABLE_CIPHERS): SecuritySuite {
  if (name === "none") return new NoSecuritySuite();
  return name === "blake2s" ? new Blake2sSuite() : new SealedSuite(name, ciphers);
}

export function createOffer(security: SuiteName | "auto", costs: SuiteCosts = {}, ciphers = PORTABLE_CIPHERS): Offer {
  const names = security === "auto" ? AUTO_SUITES : [security];
  return new Offer(
    names.map((name) => createSuite(name, ciphers)),
    costs,
  );
}

const ALL_SUITES: readonly SuiteName[] = ["none", "blake2s", ...AUTO_SUITES];

/** Names the suites in an offer, for a person. */
export function suiteNames(suites: number): string {
  const named = ALL_SUITES.filter((name) => (suites & (1 << createSuite(name).id)) !== 0);
  return named.join(", ") || "nothing we know";
}
