/** What the parts about throughput share: the same flow through the tunnel, through the dissertation's, and over single links. */
import type { LinkShape } from "../../sim/link-model.ts";
import { effectiveCapacity } from "../capacity.ts";
import { type Carrier, type FlowOutcome, type Outcome, WAYS, type Way } from "../experiment.ts";
import { type LabelledExperiment, type Observation, rivalRuns, type Scope, transferSeconds } from "../part.ts";
import type { CaseResult } from "../results.ts";
import { sum } from "../statistics.ts";
import { figure } from "../trials.ts";

/** Together beyond this, the single links of a case are measured at the same time, which shows what the emulator can carry, bit/s. */
const HEAVY_RATE = 120e6;

/** Both ways, run by run: the tunnel, and less often the others. */
export function comparison(links: readonly LinkShape[], scope: Scope, hasGreedy: boolean): LabelledExperiment[] {
  const alone = linksToMeasureAlone(links);
  return Array.from({ length: scope.runs }, (_, run) => run).flatMap((run) =>
    WAYS.flatMap((way) => {
      const shared = { way, seconds: transferSeconds(scope), seed: scope.seed + run };
      const rivals: LabelledExperiment[] = [
        { ...shared, links: alone, carrier: "alone" },
        ...(hasGreedy ? [{ ...shared, links, carrier: "greedy" as const }] : []),
      ];
      return [{ ...shared, links, carrier: "adaptive" as const }, ...(run < rivalRuns(scope) ? rivals : [])];
    }),
  );
}

/** The links of which one may be the best: those that no other beats in everything; all where the machine may be the limit. */
export function linksToMeasureAlone(links: readonly LinkShape[]): readonly LinkShape[] {
  if (sum(links.map((link) => link.rate)) > HEAVY_RATE) return links;
  const beats = (a: LinkShape, b: LinkShape) =>
    a.rate >= b.rate && a.delay <= b.delay && a.jitter <= b.jitter && a.loss <= b.loss;
  return links.filter(
    (link, i) => !links.some((other, j) => j !== i && beats(other, link) && (j < i || !beats(link, other))),
  );
}

/** Of several single links, the fastest counts. */
export function observeThroughput(outcome: Outcome, experiment: LabelledExperiment): Observation {
  const { flows, load, timeouts, retransmitted } = outcome;
  const of = (name: keyof FlowOutcome & ("mbits" | "steadyMbits")) => flows.map((flow) => flow[name]);
  const total = experiment.carrier === "alone" ? (values: number[]) => Math.max(...values) : sum;
  return {
    figures: {
      mbits: total(of("mbits")),
      steadyMbits: total(of("steadyMbits")),
      ...(experiment.carrier === "alone" && { allMbits: sum(of("steadyMbits")), links: flows.length }),
      timeouts,
      retransmitted,
      ...(load && {
        emulator: load.emulator,
        localPortal: load.localPortal,
        remotePortal: load.remotePortal,
        machine: load.machine,
      }),
    },
  };
}

export function capacityFacts(links: readonly LinkShape[]): { readonly capacity: number } {
  return { capacity: effectiveCapacity(links) };
}

/** Medians of one direction of a case. */
export interface Comparison {
  readonly way: Way;
  readonly capacity: number;
  /** Mbit/s after the first 2 s, and over the whole transfer. */
  readonly steady: Readonly<Record<Carrier, number>>;
  readonly whole: Readonly<Record<Carrier, number>>;
  /** Of C_eff. */
  readonly steadyShare: number;
  readonly wholeShare: number;
}

export function compare(result: CaseResult, way: Way): Comparison {
  const medians = (name: string) => ({
    adaptive: figure(result, { carrier: "adaptive", way }, name).median,
    greedy: figure(result, { carrier: "greedy", way }, name).median,
    alone: figure(result, { carrier: "alone", way }, name).median,
  });
  const [steady, whole, capacity] = [medians("steadyMbits"), medians("mbits"), result.facts.capacity ?? Number.NaN];
  return {
    way,
    capacity,
    steady,
    whole,
    steadyShare: steady.adaptive / capacity,
    wholeShare: whole.adaptive / capacity,
  };
}
