/**
 * The cost that an input may have. Handling may take as long, and keep as much memory, as its size allows and a constant; an input beyond
 * that lets whoever sends it slow or fill a portal.
 */

export interface Budget {
  /** Processor time for an input of no bytes, and for each byte more, µs. */
  readonly micros: number;
  readonly microsPerByte: number;
  /** Memory that a state may keep after inputs of no bytes, and for each byte more, bytes. */
  readonly kept: number;
  readonly keptPerByte: number;
}

/**
 * For one decoder. Of the constants, the first is for compiling what gets hot and for a collection that falls into it; handling itself takes
 * some 500 µs at most, in the target that agrees on keys. The second is five times what the largest state keeps.
 */
export const DECODER_BUDGET: Budget = { micros: 20_000, microsPerByte: 20, kept: 2e6, keptPerByte: 16 };

/** For two portals that live for up to a second after each input, with their packets and what the harness notes of each. */
export const PORTAL_BUDGET: Budget = { micros: 150_000, microsPerByte: 100, kept: 4e6, keptPerByte: 64 };

export function allowedMicros(budget: Budget, bytes: number): number {
  return budget.micros + budget.microsPerByte * bytes;
}

export function allowedBytes(budget: Budget, bytes: number): number {
  return budget.kept + budget.keptPerByte * bytes;
}
