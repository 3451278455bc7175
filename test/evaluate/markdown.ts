/** Pieces of the page. */
import type { CaseResult, PartResults } from "./results.ts";

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = `|${head.map((_, i) => (i === 0 ? "---|" : "--:|")).join("")}`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** Returns how the figures of a part came about: command, seed, date and version; the cases apart where they differ. */
export function provenance(results: PartResults): string {
  const byOrigin = new Map<string, string[]>();
  for (const [name, { origin }] of Object.entries(results)) {
    const text = `\`${withoutCase(origin.command)}\`, seed ${origin.seed}, ${origin.date}, version ${origin.version}, ${origin.machine}`;
    byOrigin.set(text, [...(byOrigin.get(text) ?? []), name]);
  }
  const origins = [...byOrigin].map(([text, names]) => (byOrigin.size === 1 ? text : `${names.join(", ")}: ${text}`));
  const failures = Object.values(results).flatMap((result) => result.failures ?? []);
  const repeated =
    failures.length === 0 ? "" : ` Experiments that failed and were repeated: ${failures.length} (${failures[0]}).`;
  return `Measured with ${origins.join("; ")}.${repeated}`;
}

/** Returns the same in a few words, for a picture. */
export function shortProvenance(results: PartResults): string {
  const origins = Object.values(results).map(({ origin }) => origin);
  const distinct = (of: (origin: CaseResult["origin"]) => string | number) => [...new Set(origins.map(of))].join(", ");
  return `${distinct(({ command }) => withoutCase(command))} · seed ${distinct(({ seed }) => seed)} · ${distinct(({ date }) => date)}`;
}

/** Returns the command for the whole part. */
function withoutCase(command: string): string {
  return command.replace(/(-- [a-z]+):\S+/, "$1");
}
