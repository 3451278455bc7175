/** A part of the evaluation: what it measures, what it keeps of every run, and how it is shown. */
import type { SuiteName } from "../../src/security/suite.ts";
import type { Carrier, Experiment, Outcome, StageName } from "./experiment.ts";
import type { PartResults, Trial } from "./results.ts";

/** The extent of a measurement. */
export interface Scope {
  /** Runs of the tunnel; what it is compared with is measured less often. */
  readonly runs: number;
  readonly seed: number;
  readonly isQuick: boolean;
  /** Leaves out the experiments with other carriers. */
  readonly only?: Carrier | undefined;
}

export interface Case {
  readonly name: string;
  /** Returns what does not depend on the run, such as C_eff under the suite that the tunnel used, in Mbit/s. */
  facts(suite: SuiteName): Readonly<Record<string, number>>;
  /** True where a quick look goes without. */
  readonly isSlow?: boolean;
  experiments(scope: Scope): readonly LabelledExperiment[];
}

export interface LabelledExperiment extends Experiment {
  readonly label?: string;
}

export type Observation = Pick<Trial, "figures" | "series">;

/** A picture beside the page. */
export interface Picture {
  readonly file: string;
  readonly svg: string;
}

export interface Section {
  readonly markdown: string;
  readonly pictures: readonly Picture[];
}

export interface Part {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
  observe(outcome: Outcome, experiment: LabelledExperiment): Observation;
  /** Returns the lines for a terminal. */
  summary(results: PartResults): string;
  section(results: PartResults, stage: StageName): Section;
}

/** Returns the path of a picture, beside the page. */
export function pictureName(stage: StageName, name: string): string {
  return `plots/${stage}-${name}.svg`;
}

/** Returns the experiments of a case within a scope. */
export function experimentsOf(one: Case, scope: Scope): readonly LabelledExperiment[] {
  if (scope.isQuick && one.isSlow) return [];
  return one.experiments(scope).filter(({ carrier }) => scope.only === undefined || carrier === scope.only);
}

/** Runs where the tunnel is measured less often, and of single links. */
export function fewerRuns({ runs }: Scope): number {
  return Math.ceil(runs / 3);
}

/** Returns the length of one transfer, seconds. */
export function transferSeconds({ isQuick }: Scope): number {
  return isQuick ? 4 : 10;
}
