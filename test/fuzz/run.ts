/** `bun test/fuzz/run.ts [--target NAME] [--count N] [--seed S]`: a long run; ends with 1 at the first finding and names its seed. */
import { parseArgs } from "node:util";
import { fuzz } from "./target.ts";
import { TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: { target: { type: "string" }, count: { type: "string" }, seed: { type: "string" } },
});
const count = Number(values.count ?? 100_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const names = values.target === undefined ? Object.keys(TARGETS) : [values.target];
for (const name of names) {
  const target = TARGETS[name];
  if (!target) {
    console.error(`no target ${name}; there are ${Object.keys(TARGETS).join(", ")}`);
    process.exit(64);
  }
  try {
    fuzz(name, target, seed, count);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  console.log(`${name}: ${count} inputs from seed ${seed}, nothing found`);
}
