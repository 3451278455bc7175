/**
 * `npm run evaluate -- [PART | PART:CASE]... [--sim] [--runs N] [--seed N] [--quick] [--only WHAT] [--out FOLDER] [--page]`
 *
 * Measures the parts named, or all, and writes them with a page of tables and plots. What is already there of other parts
 * and cases stays, so that an interrupted evaluation can be continued and a part be measured again alone.
 */
import { cpus, release } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildVersion } from "../../build/version.ts";
import { canUseLab } from "../lab/lab.ts";
import { choose, listOf } from "./choice.ts";
import { CARRIERS, type Stage } from "./experiment.ts";
import { LabStage } from "./lab-stage.ts";
import { writePages } from "./page.ts";
import type { Case, Part, Scope } from "./part.ts";
import { PARTS } from "./parts/all.ts";
import { type Origin, ResultStore } from "./results.ts";
import { estimate, measureAll } from "./runner.ts";
import { SimStage } from "./sim-stage.ts";

const ROOT = join(import.meta.dir, "../..");
/** Where figures that count are kept, and where a quick look goes. */
const KEPT = join(ROOT, "docs", "evaluation");
const LOOKS = join(ROOT, "dist", "evaluation");
/** Fewer runs than this have no quartiles worth keeping. */
const USUAL_RUNS = 3;

const USAGE = `npm run evaluate -- [PART | PART:CASE]... [options]

  --sim         in the simulator, in virtual time, instead of the lab
  --runs N      runs of the tunnel (${USUAL_RUNS}); what it is compared with runs a third as often
  --seed N      of the first run (1)
  --quick       one run of shorter transfers
  --only WHAT   adaptive, greedy (the dissertation's modes) or alone (single links without the tunnel)
  --out FOLDER  where results and page go: docs/evaluation; dist/evaluation for fewer runs or with --only
  --page        only makes the page from the results that are there

${listOf(PARTS)}
`;

interface Wish {
  readonly names: readonly string[];
  readonly scope: Scope;
  readonly isSimulated: boolean;
  readonly isPageOnly: boolean;
  readonly out: string;
}

function wishOf(args: string[]): Wish | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      sim: { type: "boolean", default: false },
      runs: { type: "string" },
      seed: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      out: { type: "string" },
      page: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const runs = wholeNumber("--runs", values.runs ?? `${values.quick ? 1 : USUAL_RUNS}`);
  const only = CARRIERS.find((carrier) => carrier === values.only);
  if (values.only !== undefined && !only) throw new Error(`--only ${values.only}: ${CARRIERS.join(", ")}`);
  const isForKeeping = values.page || (runs >= USUAL_RUNS && !only);
  return {
    names: positionals,
    scope: { runs, seed: wholeNumber("--seed", values.seed), isQuick: values.quick, only },
    isSimulated: values.sim,
    isPageOnly: values.page,
    out: values.out ?? (isForKeeping ? KEPT : LOOKS),
  };
}

function wholeNumber(what: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${what} ${text}: a whole number from 1`);
  return value;
}

async function main(args: string[]): Promise<number> {
  const wish = wishOf(args);
  if (!wish) {
    console.log(USAGE);
    return 0;
  }
  const store = new ResultStore(join(wish.out, "data"));
  const missed: string[] = [];
  if (!wish.isPageOnly) {
    if (!wish.isSimulated && !canUseLab) {
      console.error("The lab makes network namespaces: it needs Linux, root and /dev/net/tun. Try --sim, or sudo.");
      return 77;
    }
    missed.push(...(await measure(wish, store)));
  }
  const written = writePages(wish.out, store, PARTS);
  console.log(`\nWrote ${written.map((path) => relative(process.cwd(), path)).join(", ")}`);
  if (missed.length > 0) console.error(`Not measured:\n  ${missed.join("\n  ")}`);
  return missed.length === 0 ? 0 : 1;
}

/** @returns the cases that could not be measured */
async function measure(wish: Wish, store: ResultStore): Promise<string[]> {
  const { scope, names } = wish;
  const chosen = choose(PARTS, names);
  const stage = stageOf(wish);
  if (stage.name === "lab") console.log(`About ${Math.ceil(estimate(chosen, scope) / 60)} min.`);
  const began = performance.now();
  const elapsed = () => `${((performance.now() - began) / 60_000).toFixed(1)} min`;
  const isTerminal = process.stdout.isTTY;
  const version = buildVersion();
  const measuring = `${version.version} ${version.commit}`.trim();
  try {
    return await measureAll(chosen, {
      stage,
      scope,
      store,
      originOf: (part, one) => originOf(wish, part, one, measuring),
      began: (part, one, done, count) => {
        if (isTerminal) process.stdout.write(`\r\x1b[K${part.name}:${one.name} ${done + 1}/${count}, ${elapsed()}`);
      },
      failed: (part, one, reason) => console.error(`\n${part.name}:${one.name}: ${reason}`),
      kept: (part, one, result) => {
        if (isTerminal) process.stdout.write("\r\x1b[K");
        console.log(`\n${part.title}, after ${elapsed()}\n${part.summary({ [one.name]: result })}`);
        // Now rather than at the end: an interrupted evaluation leaves a page of what it has.
        writePages(wish.out, store, PARTS);
      },
    });
  } finally {
    stage.stop();
  }
}

function stageOf({ isSimulated }: Wish): Stage {
  return isSimulated ? new SimStage() : new LabStage();
}

/** Returns the command that measures this case again. */
function originOf({ isSimulated, scope }: Wish, part: Part, one: Case, version: string): Origin {
  const { runs, seed, isQuick, only } = scope;
  const options = [
    isSimulated ? "--sim" : "",
    isQuick ? "--quick" : "",
    only ? `--only ${only}` : "",
    `--runs ${runs}`,
    `--seed ${seed}`,
  ];
  return {
    command: `npm run evaluate -- ${part.name}:${one.name} ${options.filter(Boolean).join(" ")}`,
    seed,
    date: new Date().toISOString().slice(0, 10),
    version,
    machine: isSimulated ? "virtual time" : `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}`,
    cores: isSimulated ? 0 : cpus().length,
  };
}

if (import.meta.main) {
  try {
    process.exit(await main(process.argv.slice(2)));
  } catch (error) {
    console.error(`evaluate: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
