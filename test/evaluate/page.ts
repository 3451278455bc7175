/** The pages made from results: one for the lab, one for the simulator, and the pictures of both. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StageName } from "./experiment.ts";
import { conditionsOf, introOf } from "./page-text.ts";
import type { Part } from "./part.ts";
import type { ResultStore } from "./results.ts";

const FILES: Readonly<Record<StageName, string>> = { lab: "README.md", sim: "simulator.md" };

/** @returns the pages written; a stage without results has none */
export function writePages(folder: string, store: ResultStore, parts: readonly Part[]): string[] {
  const isThere = { lab: store.parts("lab").length > 0, sim: store.parts("sim").length > 0 };
  return (["lab", "sim"] as const).flatMap((stage) => {
    const sections = parts.flatMap((part) => {
      const results = inOrder(part, store.read(stage, part.name));
      const suites = Object.values(results).map(({ suite }) => suite);
      return suites.length === 0 ? [] : [{ part, suites, ...part.section(results, stage) }];
    });
    if (sections.length === 0) return [];
    for (const { file, svg } of sections.flatMap((section) => section.pictures)) write(join(folder, file), svg);
    const body = sections.map(({ part, markdown }) => `## ${part.title}\n\n${markdown}\n`);
    const path = join(folder, FILES[stage]);
    const suites = [...new Set(sections.flatMap((section) => section.suites))];
    const intro = introOf(stage, isThere[stage === "lab" ? "sim" : "lab"]);
    write(path, [intro, conditionsOf(suites), ...body].join("\n"));
    return [path];
  });
}

/** Returns the results in the order of the part, whatever the order of measuring; cases that are no more are left out. */
function inOrder(part: Part, results: ReturnType<ResultStore["read"]>): ReturnType<ResultStore["read"]> {
  return Object.fromEntries(
    part.cases.flatMap(({ name }) => {
      const result = results[name];
      return result ? [[name, result] as const] : [];
    }),
  );
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
