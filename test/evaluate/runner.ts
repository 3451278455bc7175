/** Measures cases one after the other and keeps each as soon as it is complete. */
import type { SuiteName } from "../../src/security/suite.ts";
import type { Chosen } from "./choice.ts";
import type { Outcome, Stage } from "./experiment.ts";
import { type Case, experimentsOf, type LabelledExperiment, type Part, type Scope } from "./part.ts";
import type { CaseResult, Origin, ResultStore, Trial } from "./results.ts";

/** Time a lab run needs beyond its traffic for a network, agents, portals and pings ahead, seconds. */
const SETUP_SECONDS = 1;

export interface Run {
  readonly stage: Stage;
  readonly scope: Scope;
  readonly store: ResultStore;
  originOf(part: Part, one: Case): Origin;
  /** Called before each experiment, and after each case. */
  began(part: Part, one: Case, done: number, count: number): void;
  kept(part: Part, one: Case, result: CaseResult): void;
  /** Called when an experiment failed; it is repeated once. */
  failed(part: Part, one: Case, reason: string): void;
}

/** @returns the cases that could not be measured, and why; what was known of them stays */
export async function measureAll(chosen: readonly Chosen[], run: Run): Promise<string[]> {
  const missed: string[] = [];
  const known = new Map<string, Promise<Outcome>>();
  for (const { part, cases } of chosen)
    for (const one of cases) {
      if (experimentsOf(one, run.scope).length === 0) continue;
      try {
        const result = await measureCase(part, one, run, known);
        run.store.write(run.stage.name, part.name, one.name, result);
        run.kept(part, one, result);
      } catch (error) {
        missed.push(`${part.name}:${one.name}: ${reasonOf(error)}`);
      }
    }
  return missed;
}

/** @param known outcomes by experiment: the same link alone is wanted by several cases */
async function measureCase(part: Part, one: Case, run: Run, known: Map<string, Promise<Outcome>>): Promise<CaseResult> {
  const experiments = experimentsOf(one, run.scope);
  let begun = 0;
  const failures: string[] = [];
  let suite: SuiteName = "none";
  const attempt = (experiment: LabelledExperiment) =>
    run.stage.run(experiment).catch((error) => {
      failures.push(reasonOf(error));
      run.failed(part, one, reasonOf(error));
      throw error;
    });
  const trials = await inLanes(experiments, run.stage.lanes, async (experiment): Promise<Trial> => {
    run.began(part, one, begun++, experiments.length);
    const { label, carrier, way, seed } = experiment;
    const key = keyOf(experiment);
    const running = known.get(key) ?? attempt(experiment).catch(() => attempt(experiment));
    known.set(key, running);
    // Another case that wants the same may be luckier.
    running.catch(() => known.delete(key));
    const outcome = await running;
    suite = outcome.suite ?? suite;
    return { ...(label !== undefined && { label }), carrier, way, seed, ...part.observe(outcome, experiment) };
  });
  const origin = run.originOf(part, one);
  return { origin, suite, facts: one.facts(suite), ...(failures.length > 0 && { failures }), trials };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

/** Returns about how long the lab needs, seconds. */
export function estimate(chosen: readonly Chosen[], scope: Scope): number {
  const wanted = chosen.flatMap(({ cases }) => cases.flatMap((one) => experimentsOf(one, scope)));
  const distinct = new Map(wanted.map((experiment) => [keyOf(experiment), experiment.seconds]));
  return [...distinct.values()].reduce((total, seconds) => total + seconds + SETUP_SECONDS, 0);
}
