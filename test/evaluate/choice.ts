/** Finds the parts and cases that a command names: `profiles`, `profiles:rtt_120`; none for all. */
import type { Case, Part } from "./part.ts";

export interface Chosen {
  readonly part: Part;
  readonly cases: readonly Case[];
}

/** Returns them in the order of the page; throws with the names that exist when one does not. */
export function choose(parts: readonly Part[], names: readonly string[]): Chosen[] {
  const known = new Set(parts.flatMap((part) => [part.name, ...part.cases.map((one) => `${part.name}:${one.name}`)]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`nothing is called ${unknown.join(", ")}; there are:\n${listOf(parts)}`);
  const isWanted = (part: Part, one: Case) =>
    names.length === 0 || names.includes(part.name) || names.includes(`${part.name}:${one.name}`);
  return parts
    .map((part) => ({ part, cases: part.cases.filter((one) => isWanted(part, one)) }))
    .filter(({ cases }) => cases.length > 0);
}

export function listOf(parts: readonly Part[]): string {
  return parts.map(({ name, cases }) => `  ${name}: ${cases.map((one) => one.name).join(" ")}`).join("\n");
}
