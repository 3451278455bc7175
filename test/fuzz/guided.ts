/**
 * Guided fuzzing: bundles the loop with its targets for Node, whose inspector tells which blocks an input reached, and runs it
 * once for each target. Inputs that reached something new are left in `dist/fuzz`, from where the best go to `corpus`.
 */
import { join } from "node:path";
import { ROOT } from "../rules/sources.ts";
import { GUIDED, TRIALS } from "./guided-targets.ts";

/** As deep as this folder: a target reads a file by its way from here. */
const FOLDER = join(ROOT, "dist", "fuzz");

/** @returns the exit code: 1 after a finding, 64 for a target that is not guided, 69 without Node */
export async function runGuided(wanted: readonly string[] | undefined, count: number, seed: number): Promise<number> {
  const names = wanted ?? Object.keys(GUIDED);
  const unknown = names.find((name) => !(name in GUIDED || name in TRIALS));
  if (unknown !== undefined) {
    console.error(`no guided target ${unknown}; there are ${Object.keys(GUIDED).join(", ")}`);
    return 64;
  }
  const node = Bun.which("node");
  if (!node) {
    console.error("guided fuzzing needs Node, whose inspector tells what an input reached");
    return 69;
  }
  const bundle = await bundleLoop();
  let isGood = true;
  for (const name of names) {
    const { success } = Bun.spawnSync([node, bundle, name, `${count}`, `${seed}`, FOLDER], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    isGood &&= success;
  }
  return isGood ? 0 : 1;
}

async function bundleLoop(): Promise<string> {
  const entrypoints = [join(import.meta.dir, "guided-loop.ts")];
  const result = await Bun.build({ entrypoints, target: "node", outdir: FOLDER, naming: "[name].mjs" });
  if (!result.success) throw new Error(result.logs.join("\n"));
  return join(FOLDER, "guided-loop.mjs");
}
