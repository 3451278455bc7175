/**
 * `bun test/fuzz/run.ts [--target NAME] [--count N | --total N] [--seed S]`: a long run; ends with 1 at the first finding and names its seed.
 * `--count` is for each target; `--total` is split, fewer for whole portals, which take much longer. `--guided` follows coverage: see
 * guided-loop.ts.
 */
import { parseArgs } from "node:util";
import { fuzz, INPUTS_PER_STATE } from "./fuzz.ts";
import { runGuided } from "./guided.ts";
import { SLOW, TARGETS } from "./targets.ts";

const MEGABYTE = 2 ** 20;
/** The first part of a run makes what is then used again; what grows afterwards grows for ever. */
const WARM_UP = 1 / 10;
const SLOW_SHARE = 1 / 20;

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    count: { type: "string" },
    total: { type: "string" },
    seed: { type: "string" },
    guided: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const names = values.target === undefined ? Object.keys(TARGETS) : values.target.split(",");

/** Inputs for each target. */
function countFor(name: string): number {
  if (values.total === undefined) return Number(values.count ?? 100_000);
  const slow = names.filter((each) => SLOW.test(each)).length;
  const share = 1 / (names.length - slow + SLOW_SHARE * slow);
  return Math.ceil(Number(values.total) * share * (SLOW.test(name) ? SLOW_SHARE : 1));
}

function residentMegabytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss() / MEGABYTE;
}

function run(name: string): number {
  const target = TARGETS[name];
  if (!target) {
    console.error(`no target ${name}; there are ${Object.keys(TARGETS).join(", ")}`);
    process.exit(64);
  }
  const count = countFor(name);
  const started = performance.now();
  // Whole rounds, so that the seed that a finding names is that of its round.
  const rounds = Math.floor((count * WARM_UP) / INPUTS_PER_STATE);
  const warmUp = rounds * INPUTS_PER_STATE;
  try {
    fuzz(name, target, seed, warmUp);
    const before = residentMegabytes();
    fuzz(name, target, seed + rounds, count - warmUp);
    const grown = Math.max(0, residentMegabytes() - before);
    const seconds = (performance.now() - started) / 1_000;
    console.log(
      `${name}: ${count} inputs from seed ${seed} in ${seconds.toFixed(1)} s, nothing found, ${grown.toFixed(0)} MB more memory`,
    );
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  return count;
}

if (values.guided) process.exit(await runGuided(values.target?.split(","), Number(values.count ?? 100_000), seed));

const done = names.reduce((sum, name) => sum + run(name), 0);
console.log(`${done} inputs in all, nothing found`);
