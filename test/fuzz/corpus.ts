/** Inputs kept: what once found a mistake or reaches far, as hexadecimal lines in `corpus/`; changed at random, they are where the search begins. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const known = new Map<string, readonly Uint8Array[]>();

export function seedsOf(name: string): readonly Uint8Array[] {
  let seeds = known.get(name);
  if (!seeds) {
    const text = readFileSync(join(import.meta.dir, "corpus", `${name}.hex`), "utf8");
    seeds = text.split("\n").flatMap((line) => (/^[0-9a-f]+$/.test(line) ? [Uint8Array.fromHex(line)] : []));
    known.set(name, seeds);
  }
  return seeds;
}
