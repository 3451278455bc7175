/** One seed for all random tests of a run: `NC_SEED`, or a fixed one. A failure names it, so that the run can be repeated. */
import { SeededRandom } from "./random.ts";

export const SEED = Number(process.env.NC_SEED ?? 4725);

/** Returns a test body that draws from the seed; what it throws names the seed. */
export function seeded(body: (random: SeededRandom) => void): () => void {
  return () => {
    try {
      body(new SeededRandom(SEED));
    } catch (error) {
      throw new Error(`NC_SEED=${SEED}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  };
}

export function randomBytes(random: SeededRandom, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  random.bytes(out);
  return out;
}
