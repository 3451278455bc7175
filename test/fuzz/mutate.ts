/** Structured mutation: an input that was valid is changed in few places, in the ways that hurt decoders most. */
import type { SeededRandom } from "../support/random.ts";

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 254, 255];

type Change = (random: SeededRandom, bytes: Uint8Array, at: number, seeds: readonly Uint8Array[]) => Uint8Array;

const CHANGES: readonly Change[] = [
  (random, bytes, at) => put(bytes, at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]),
  (random, bytes, at) => put(bytes, at, [INTERESTING[random.below(INTERESTING.length)] ?? 0]),
  (random, bytes, at) => put(bytes, at, [...noise(random, 1 + random.below(4))]),
  (random, bytes, at) => put(bytes, at, random.chance(0.5) ? [255, 255] : [0, 0]),
  (_random, bytes, at) => bytes.slice(0, at),
  (random, bytes, at) => spliced(bytes, at, 0, noise(random, 1 + random.below(20))),
  (random, bytes, at) => spliced(bytes, at, random.below(20), new Uint8Array(0)),
  (random, bytes, at, seeds) => spliced(bytes, at, bytes.length, tailOf(random, seeds)),
];

/** Returns a changed copy of one of `seeds`; now and then mere noise. */
export function mutate(random: SeededRandom, seeds: readonly Uint8Array[], maxLength = 1_900): Uint8Array {
  if (random.chance(0.02)) return noise(random, random.below(maxLength));
  let bytes: Uint8Array = (seeds[random.below(seeds.length)] ?? new Uint8Array(0)).slice();
  for (let changes = random.below(6); changes > 0; changes--) {
    // Headers are in front: half of the changes go there.
    const at = random.below(random.chance(0.5) ? Math.min(64, bytes.length) : bytes.length);
    bytes = (CHANGES[random.below(CHANGES.length)] as Change)(random, bytes, at, seeds);
  }
  return bytes.slice(0, maxLength);
}

export function noise(random: SeededRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.bytes(bytes);
  return bytes;
}

function put(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  for (const [i, value] of values.entries()) if (at + i < bytes.length) bytes[at + i] = value;
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + removed)]);
}

function tailOf(random: SeededRandom, seeds: readonly Uint8Array[]): Uint8Array {
  const other = seeds[random.below(seeds.length)] ?? new Uint8Array(0);
  return other.subarray(random.below(other.length));
}
