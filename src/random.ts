/** Randomness as the core sees it: handed in, never drawn from the system. */

/** Fills `out` with random bytes. Keys need a cryptographic source here; simulations pass a seeded one. */
export type RandomBytes = (out: Uint8Array) => void;
