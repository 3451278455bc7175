/** An input as a list of choices: the same bytes make the same calls, so that what found something can be kept and changed further. */
export class Operations {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Returns a number below `bound`, of one byte or, where that is too little, of two; 0 behind the end. */
  below(bound: number): number {
    const high = bound > 256 ? this.#byte() << 8 : 0;
    return (high | this.#byte()) % bound;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }
}
