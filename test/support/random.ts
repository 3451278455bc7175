import type { RandomBytes } from "../../src/random.ts";

/**
 * Seeded generator for simulations and tests: xoshiro128** with splitmix32 seeding (Blackman and Vigna 2018).
 * Never for keys.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spare = Number.NaN;
  readonly seed: number;

  /** @param seed any integer; its low 32 bits count */
  constructor(seed: number) {
    this.seed = seed;
    let state = seed >>> 0;
    const split = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = split();
    this.#b = split();
    this.#c = split();
    this.#d = split();
  }

  /** Returns an integer in [0, 2^32). */
  uint32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Returns a real number in [0, 1) with 32 bits of resolution. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Returns an integer in [0, bound), bound at most 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Returns a sample of the normal distribution with mean 0 and deviation 1 (Marsaglia's polar method). */
  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const u = this.unit() * 2 - 1;
      const v = this.unit() * 2 - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * naturalLogarithm(s)) / s);
        this.#spare = v * scale;
        return u * scale;
      }
    }
  }

  /** Fills `out`; has the shape of `RandomBytes` once bound. */
  readonly bytes: RandomBytes = (out) => {
    for (let i = 0; i < out.length; i++) out[i] = this.uint32() >>> 24;
  };
}

/**
 * Returns ln of a number in (0, 1]. Math.log is a library's, whose last bit depends on the system and the processor, and after a thousand packets
 * so does a whole simulation; sums, products and quotients are rounded alike everywhere (IEEE 754).
 */
function naturalLogarithm(x: number): number {
  let mantissa = x;
  let halvings = 0;
  for (; mantissa < Math.SQRT1_2; halvings++) mantissa *= 2;
  // ln m = 2 (z + z^3/3 + z^5/5 + ...) with z at most 0.172: what is left out is below one part in 2^53.
  const z = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  for (let power = 19; power >= 1; power -= 2) sum = sum * z * z + 1 / power;
  return 2 * z * sum - halvings * Math.LN2;
}
