// @hot
/**
 * Networks of one IP version, each with an owner, found by the longest prefix: a trie with a node for each byte of the address, whose entries are
 * filled in for all values that a prefix covers. A lookup takes a step for each byte in which the address follows a longer prefix: one for most
 * addresses of a table with a default network and a few hosts, and 4 or 16 at most.
 */

/** Returned for an address that no network holds. Owners are larger. */
export const NO_OWNER = 0;

export interface Prefix {
  /** Address of the network, 4 or 16 bytes; those behind the prefix do not matter. */
  readonly bytes: Uint8Array;
  /** Length of the prefix, bits. */
  readonly length: number;
  /** From 1 to 65535. */
  readonly owner: number;
}

const FANOUT = 256;

export class PrefixTable {
  /** Node below each entry, 0 for none: the root is below nothing. */
  #below = new Uint32Array(FANOUT);
  #owners = new Uint16Array(FANOUT);
  #nodes = 1;

  /** @param prefixes of two that are alike, the later one counts */
  constructor(prefixes: readonly Prefix[]) {
    // Longer prefixes are filled in later, over the shorter ones.
    for (const prefix of prefixes.toSorted((a, b) => a.length - b.length)) this.#add(prefix);
  }

  /** Returns the owner of the longest prefix that holds the address of `size` bytes at `at`, or `NO_OWNER`. */
  find(bytes: Uint8Array, at: number, size: number): number {
    let owner = NO_OWNER;
    let node = 0;
    for (let i = at; i < at + size; i++) {
      const entry = node * FANOUT + (bytes[i] as number);
      const found = this.#owners[entry] as number;
      if (found !== NO_OWNER) owner = found;
      node = this.#below[entry] as number;
      if (node === 0) return owner;
    }
    return owner;
  }

  #add({ bytes, length, owner }: Prefix): void {
    let node = 0;
    let at = 0;
    for (; length - 8 * at > 8; at++) node = this.#descend(node * FANOUT + (bytes[at] as number));
    const bits = length - 8 * at;
    const covered = 1 << (8 - bits);
    const first = node * FANOUT + ((bytes[at] as number) & ~(covered - 1));
    this.#owners.fill(owner, first, first + covered);
  }

  #descend(entry: number): number {
    if (this.#below[entry] === 0) {
      if ((this.#nodes + 1) * FANOUT > this.#below.length) this.#grow();
      this.#below[entry] = this.#nodes++;
    }
    return this.#below[entry] as number;
  }

  #grow(): void {
    const below = new Uint32Array(2 * this.#below.length);
    const owners = new Uint16Array(2 * this.#owners.length);
    below.set(this.#below);
    owners.set(this.#owners);
    this.#below = below;
    this.#owners = owners;
  }
}
