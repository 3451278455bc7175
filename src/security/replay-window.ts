// @hot
/** Anti-replay without bit shifting (RFC 6479): a ring of words, each bit a sequence number behind the largest. */
const BITS_PER_WORD = 32;

export class ReplayWindow {
  readonly #words: Uint32Array;
  readonly #mask: number;
  /** Number of sequences behind the largest that are still told apart. */
  readonly size: number;
  /** Largest sequence accepted, -1 before the first. */
  largest = -1;

  /** @param atLeast sequences the window must cover; rounded up to a power of two of bits */
  constructor(atLeast: number) {
    const words = 2 ** Math.ceil(Math.log2(Math.max(2, Math.ceil(atLeast / BITS_PER_WORD) + 1)));
    this.#words = new Uint32Array(words);
    this.#mask = words - 1;
    // One word is always partly cleared for what comes next.
    this.size = (words - 1) * BITS_PER_WORD;
  }

  /** True if `sequence` would be accepted: neither seen nor too old. */
  check(sequence: number): boolean {
    if (sequence > this.largest) return true;
    if (sequence + this.size <= this.largest) return false;
    return ((this.#words[this.#wordOf(sequence)] as number) & bitOf(sequence)) === 0;
  }

  /** Accepts and remembers `sequence`; false, without any change, if it was seen or is too old. */
  accept(sequence: number): boolean {
    if (!this.check(sequence)) return false;
    if (sequence > this.largest) this.#advance(sequence);
    const word = this.#wordOf(sequence);
    this.#words[word] = ((this.#words[word] as number) | bitOf(sequence)) >>> 0;
    return true;
  }

  #advance(sequence: number): void {
    const from = Math.floor(this.largest / BITS_PER_WORD);
    const to = Math.floor(sequence / BITS_PER_WORD);
    const steps = Math.min(to - from, this.#words.length);
    for (let i = 1; i <= steps; i++) this.#words[(from + i) & this.#mask] = 0;
    this.largest = sequence;
  }

  #wordOf(sequence: number): number {
    return Math.floor(sequence / BITS_PER_WORD) & this.#mask;
  }
}

function bitOf(sequence: number): number {
  return 1 << (sequence % BITS_PER_WORD);
}
