/** Measures and shows, for every part about throughput, the same flow through the tunnel, through the dissertation's, and over single links. */
import type { SuiteName } from "../../../src/security/suite.ts";
import { table } from "../../lab/demo-text.ts";
import type { LinkShape } from "../../sim/link-model.ts";
import { effectiveCapacity } from "../../support/capacity.ts";
import type { Bar, BarGroup } from "../../support/plot/bars.ts";
import type { LegendEntry, Tone } from "../../support/plot/document.ts";
import { barsPicture } from "../../support/plot/pictures.ts";
import { type Spread, sum } from "../../support/statistics.ts";
import { type Carrier, type Experiment, type FlowOutcome, type Outcome, WAYS, type Way } from "../experiment.ts";
import { markdownTable, provenance, shortProvenance } from "../markdown.ts";
import {
  fewerRuns,
  type LabelledExperiment,
  type Observation,
  type Scope,
  type Section,
  transferSeconds,
} from "../part.ts";
import type { CaseResult, PartResults } from "../results.ts";
import { figure, show, showPercent, showSpread } from "../trials.ts";

/** Together beyond this, the single links of a case are measured at the same time, which shows what the emulator can carry, bit/s. */
const HEAVY_RATE = 120e6;

export interface ComparisonPlan {
  /** The dissertation's modes are measured too. */
  readonly hasGreedy: boolean;
  readonly seconds?: number;
  /** Settings of every experiment. */
  readonly extra?: Pick<Experiment, "control" | "distance">;
  /** Runs of the tunnel; default: what the scope says. */
  readonly runs?: number;
}

/** Length of transfers over single links and with the dissertation's modes, seconds; shorter, for nothing is said of their beginning. */
const RIVAL_SECONDS = 6;
const QUICK_RIVAL_SECONDS = 3;

/** Returns the experiments both ways, run by run: the tunnel, and less often the others. */
export function comparison(links: readonly LinkShape[], scope: Scope, plan: ComparisonPlan): LabelledExperiment[] {
  const { hasGreedy, seconds = transferSeconds(scope), extra = {}, runs = scope.runs } = plan;
  const alone = linksToMeasureAlone(links);
  return Array.from({ length: runs }, (_, run) => run).flatMap((run) =>
    WAYS.flatMap((way) => {
      const shared = { ...extra, way, seconds, seed: scope.seed + run };
      const rival = { ...shared, seconds: scope.isQuick ? QUICK_RIVAL_SECONDS : RIVAL_SECONDS };
      return [
        { ...shared, links, carrier: "adaptive" as const },
        ...(run < fewerRuns(scope) ? [{ ...rival, links: alone, carrier: "alone" as const }] : []),
        ...(run === 0 && hasGreedy ? [{ ...rival, links, carrier: "greedy" as const }] : []),
      ];
    }),
  );
}

/** Returns the links of which one may be the best: those that no other beats in everything; all where the machine may be the limit. */
export function linksToMeasureAlone(links: readonly LinkShape[]): readonly LinkShape[] {
  if (sum(links.map((link) => link.rate)) > HEAVY_RATE) return links;
  const beats = (a: LinkShape, b: LinkShape) =>
    a.rate >= b.rate && a.delay <= b.delay && a.jitter <= b.jitter && a.loss <= b.loss;
  return links.filter(
    (link, i) => !links.some((other, j) => j !== i && beats(other, link) && (j < i || !beats(link, other))),
  );
}

/** Keeps of several single links the fastest. */
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

export function capacityFacts(links: readonly LinkShape[], suite: SuiteName): { readonly capacity: number } {
  return { capacity: effectiveCapacity(links, suite) };
}

/** Medians of one direction of a case. */
export interface Comparison {
  readonly capacity: number;
  /** Mbit/s after the first 2 s, and over the whole transfer. */
  readonly steady: Readonly<Record<Carrier, Spread>>;
  readonly whole: Readonly<Record<Carrier, Spread>>;
}

export function compare(result: CaseResult | undefined, way: Way): Comparison {
  const spreads = (name: string) => ({
    adaptive: figure(result, { carrier: "adaptive", way }, name),
    greedy: figure(result, { carrier: "greedy", way }, name),
    alone: figure(result, { carrier: "alone", way }, name),
  });
  return {
    capacity: result?.facts.capacity ?? Number.NaN,
    steady: spreads("steadyMbits"),
    whole: spreads("mbits"),
  };
}

const HEAD = ["Mbit/s", "", "C_eff", "best link", "dissertation", "tunnel", "of C_eff", "whole run", "of C_eff"];

export function throughputSummary(results: PartResults): string {
  return table(HEAD, throughputRows(results));
}

function throughputRows(results: PartResults): string[][] {
  return Object.entries(results).flatMap(([name, result]) =>
    WAYS.map((way) => {
      const { capacity, steady, whole } = compare(result, way);
      return [
        name,
        way,
        show(capacity),
        showSpread(steady.alone),
        showSpread(steady.greedy),
        showSpread(steady.adaptive),
        show(steady.adaptive.median / capacity, 2),
        showSpread(whole.adaptive),
        show(whole.adaptive.median / capacity, 2),
      ];
    }),
  );
}

export interface ThroughputWords {
  readonly title: string;
  readonly intro: string;
  readonly picture: string;
  /** Share of C_eff that is aimed at. */
  readonly aim?: number;
  /** Text after the tables. */
  readonly more?: string;
}

/** Returns table and bars, and what the results say of "not below the best link" and of C_eff. */
export function throughputSection(results: PartResults, words: ThroughputWords): Section {
  const { title, intro, picture, aim, more = "" } = words;
  const legend: LegendEntry[] = [
    { tone: "tunnel", text: "tunnel" },
    { tone: "dissertation", text: "tunnel, the dissertation's modes" },
    { tone: "alone", text: "the best link alone" },
  ];
  const note =
    "Goodput of one TCP flow after its first 2 s, as a share of C_eff (the black line); medians and quartiles.";
  const source = shortProvenance(results);
  const svg = barsPicture({ title, note, source, legend }, { label: "share of C_eff", from: 0, to: 1.15, ticks: 6 }, [
    { title: "Download", groups: groupsOf(results, "down") },
    { title: "Upload", groups: groupsOf(results, "up") },
  ]);
  const markdown = [intro, `![${title}](${picture})`, throughputTable(results, aim), more];
  return { markdown: markdown.filter(Boolean).join("\n\n"), pictures: [{ file: picture, svg }] };
}

/** Returns what the results say, all figures, and how they were measured. */
export function throughputTable(results: PartResults, aim = GOOD_SHARE): string {
  const pieces = [
    verdict(results, aim),
    markdownTable(HEAD, throughputRows(results)),
    machineNotes(results),
    provenance(results),
  ];
  return pieces.filter(Boolean).join("\n\n");
}

function groupsOf(results: PartResults, way: Way): BarGroup[] {
  return Object.entries(results).map(([name, result]) => {
    const { steady, capacity } = compare(result, way);
    const bar = (carrier: Carrier, tone: Tone): Bar => ({ tone, ...scaled(steady[carrier], 1 / capacity) });
    const tunnel = { ...bar("adaptive", "tunnel"), text: show(steady.adaptive.median / capacity, 2) };
    const bars = [tunnel, bar("greedy", "dissertation"), bar("alone", "alone")];
    return { name, bars: bars.filter(({ median }) => !Number.isNaN(median)), limit: 1 };
  });
}

function scaled({ low, median, high }: Spread, factor: number): Spread {
  return { low: low * factor, median: median * factor, high: high * factor };
}

/** Measured, so a hundredth is within its noise. */
const TOLERANCE = 0.99;
const GOOD_SHARE = 0.95;

function verdict(results: PartResults, aim: number): string {
  const entries = Object.entries(results).flatMap(([name, result]) =>
    WAYS.map((way) => ({ name, way, ...compare(result, way) })),
  );
  const namesOf = (list: typeof entries) =>
    list.length === 0 ? "none" : list.map(({ name, way }) => `${name} ${way}`).join(", ");
  const slower = entries.filter(({ steady }) => steady.adaptive.median < TOLERANCE * steady.alone.median);
  const short = entries.filter(({ steady, capacity }) => !(steady.adaptive.median >= aim * capacity));
  const count = Object.keys(results).length;
  const full = count - new Set(short.map(({ name }) => name)).size;
  return `Slower than the best link alone: ${namesOf(slower)}. At least ${aim} of C_eff both ways: ${full} of ${count}; below: ${namesOf(short)}.`;
}

/** Beyond this share of a core a portal, or of all cores the machine, may be what limits. */
const BUSY = 0.9;

/** Tells what the machine had to do with it: where links alone were measured together, and where processors were busy. */
function machineNotes(results: PartResults): string {
  const notes = Object.entries(results).flatMap(([name, result]) =>
    WAYS.flatMap((way) => {
      const of = (carrier: Carrier, what: string) => figure(result, { carrier, way }, what).median;
      const portal = Math.max(of("adaptive", "localPortal"), of("adaptive", "remotePortal"));
      const together = of("alone", "links") > 1 ? of("alone", "allMbits") : Number.NaN;
      const cores = result.origin.cores;
      // In virtual time no processor is busy.
      if (Number.isNaN(of("adaptive", "emulator"))) return [];
      if (Number.isNaN(together) && !(portal > BUSY) && !(of("adaptive", "machine") > BUSY * cores)) return [];
      return [
        [
          name,
          way,
          show(together),
          showPercent(of("alone", "emulator")),
          showPercent(of("adaptive", "emulator")),
          showPercent(portal),
          showPercent(of("adaptive", "machine") / cores),
        ],
      ];
    }),
  );
  if (notes.length === 0) return "";
  const head = ["", "", "links at once, no tunnel, Mbit/s", "emulator then", "emulator", "busier portal", "machine"];
  return `Where the machine may be the limit (processor time of the emulator and of a portal in % of a core, of the machine in % of all):\n\n${markdownTable(head, notes)}`;
}
