/** The page made from results. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./part.ts";
import type { ResultStore } from "./results.ts";

/** @returns what was written */
export function writePage(folder: string, store: ResultStore, parts: readonly Part[]): string[] {
  const sections = parts.flatMap((part) => {
    const results = store.read("lab", part.name);
    return Object.keys(results).length === 0
      ? []
      : [`## ${part.title}\n\n\`\`\`\n${part.section(results).markdown}\n\`\`\`\n`];
  });
  const path = join(folder, "README.md");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, ["# Evaluation\n", ...sections].join("\n"));
  return [path];
}
