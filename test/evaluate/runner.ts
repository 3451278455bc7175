/** Measures cases one after the other and keeps each as soon as it is complete. */
import type { Chosen } from "./choice.ts";
import type { Outcome, Stage } from "./experiment.ts";
import { type Case, experimentsOf, type LabelledExperiment, type Part, type Scope } from "./part.ts";
import type { CaseResult, Origin, ResultStore, Trial } from "./results.ts";

/** What a lab run needs beyond its traffic: a network, agents, portals, pings ahead; seconds. */
const SETUP_SECONDS = 1;

export interface Run {
  readonly stage: Stage;
  readonly scope: Scope;
  readonly store: ResultStore;
  originOf(part: Part, one: Case): Origin;
  /** Told before each experiment, and after each case. */
  began(part: Part, one: Case, done: number, count: number): void;
  kept(part: Part, one: Case, result: CaseResult): void;
}

export async function measureAll(chosen: readonly Chosen[], run: Run): Promise<void> {
  const known = new Map<string, Promise<Outcome>>();
  for (const { part, cases } of chosen)
    for (const one of cases) {
      if (experimentsOf(one, run.scope).length === 0) continue;
      const result = await measureCase(part, one, run, known);
      run.store.write(run.stage.name, part.name, one.name, result);
      run.kept(part, one, result);
    }
}

/** @param known outcomes by experiment: the same link alone is wanted by several cases */
async function measureCase(part: Part, one: Case, run: Run, known: Map<string, Promise<Outcome>>): Promise<CaseResult> {
  const experiments = experimentsOf(one, run.scope);
  let begun = 0;
  const trials = await inLanes(experiments, run.stage.lanes, async (experiment): Promise<Trial> => {
    run.began(part, one, begun++, experiments.length);
    const { label, carrier, way, seed } = experiment;
    const key = keyOf(experiment);
    const running = known.get(key) ?? run.stage.run(experiment);
    known.set(key, running);
    return { ...(label !== undefined && { label }), carrier, way, seed, ...part.observe(await running, experiment) };
  });
  return { origin: run.originOf(part, one), facts: one.facts, trials };
}

/** Does `work` for every item, so many at a time; @returns the results in the order of the items */
async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as T);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

function keyOf({ label: _, ...experiment }: LabelledExperiment): string {
  return JSON.stringify(experiment, (_, value) => (value === Number.POSITIVE_INFINITY ? "Infinity" : value));
}

/** About how long the lab needs, seconds. */
export function estimate(chosen: readonly Chosen[], scope: Scope): number {
  const wanted = chosen.flatMap(({ cases }) => cases.flatMap((one) => experimentsOf(one, scope)));
  const distinct = new Map(wanted.map((experiment) => [keyOf(experiment), experiment.seconds]));
  return [...distinct.values()].reduce((total, seconds) => total + seconds + SETUP_SECONDS, 0);
}
