/** Point 3: a ping through the tunnel beside a bulk flow, against the idle round trip of the best link. */
import { table } from "../../lab/demo-text.ts";
import type { LinkShape } from "../../sim/link-model.ts";
import type { Tone } from "../../support/plot/document.ts";
import type { Mark, Panel } from "../../support/plot/panel.ts";
import { panelsPicture } from "../../support/plot/pictures.ts";
import { median, quantile, sum } from "../../support/statistics.ts";
import { type Carrier, WAYS, type Way } from "../experiment.ts";
import { markdownTable, provenance, shortProvenance } from "../markdown.ts";
import { type Case, fewerRuns, type LabelledExperiment, type Part, pictureName, type Scope } from "../part.ts";
import type { CaseResult, PartResults } from "../results.ts";
import { figure, show, showPercent, showSpread, trialsOf } from "../trials.ts";
import { access } from "./links.ts";

const SETS: Readonly<Record<string, readonly LinkShape[]>> = {
  equal: [access(20, 5), access(20, 5)],
  unequal: [access(20, 5), access(20, 50)],
  modem_500ms: [access(20, 5, 500), access(20, 50, 500)],
};
const SECONDS = 6;
const QUICK_SECONDS = 4;
const IDLE_SECONDS = 3;
/** Number of quantiles that a distribution is kept as. */
const QUANTILES = 100;
const CARRIERS_SHOWN: readonly (readonly [Carrier, string, Tone, string])[] = [
  ["adaptive", "tunnel", "tunnel", "loaded"],
  ["greedy", "tunnel, the dissertation's modes", "dissertation", "loaded"],
  ["alone", "the best link alone, loaded", "alone", "loaded"],
  ["alone", "the best link alone, idle", "limit", "idle"],
];

function experiments(links: readonly LinkShape[], scope: Scope): LabelledExperiment[] {
  const best = links.slice(0, 1);
  const seconds = scope.isQuick ? QUICK_SECONDS : SECONDS;
  const shared = { seed: scope.seed, hasPing: true };
  const idle = { ...shared, links: best, way: "up", carrier: "alone", seconds: IDLE_SECONDS, flows: 0 } as const;
  const loaded = (carrier: Carrier, way: Way, run: number): LabelledExperiment => ({
    ...shared,
    links: carrier === "alone" ? best : links,
    carrier,
    way,
    seconds,
    seed: scope.seed + run,
    label: "loaded",
  });
  const runs = Array.from({ length: fewerRuns(scope) }, (_, run) => run);
  return [
    { ...idle, label: "idle" },
    ...WAYS.flatMap((way) => runs.map((run) => loaded("adaptive", way, run))),
    ...(scope.isQuick ? [] : WAYS.flatMap((way) => [loaded("greedy", way, 0), loaded("alone", way, 0)])),
  ];
}

const name = "latency";
const title = "Latency under load";

export const LATENCY: Part = {
  name,
  title,
  cases: Object.entries(SETS).map(
    ([set, links]): Case => ({
      name: set,
      facts: () => ({}),
      isSlow: set === "equal",
      experiments: (scope) => experiments(links, scope),
    }),
  ),
  observe: ({ flows, ping }) => {
    const millis = (ping?.answers ?? []).map(([, round]) => round);
    return {
      figures: {
        medianMillis: median(millis),
        highMillis: quantile(millis, 0.95),
        lost: 1 - millis.length / Math.max(1, ping?.sent ?? 0),
        mbits: sum(flows.map((flow) => flow.steadyMbits)),
      },
      series: { quantiles: Array.from({ length: QUANTILES + 1 }, (_, i) => quantile(millis, i / QUANTILES)) },
    };
  },
  summary: (results) => table(HEAD, rows(results)),
  section: (results, stage) => {
    const picture = pictureName(stage, name);
    const markdown = [
      "A ping every 20 ms beside one TCP flow that takes what it gets. Two links of 20 Mbit/s: *equal*, 10 ms round trip each; *unequal*, 10 and " +
        "100 ms; *modem_500ms*, the same, each with a queue that holds 500 ms where the others hold 100. The aim: a median at most 5 ms " +
        "and a 95th percentile at most 15 ms above the idle round trip of the best link.",
      `![${title}](${picture})`,
      markdownTable(HEAD, rows(results)),
      provenance(results),
    ];
    return { markdown: markdown.join("\n\n"), pictures: [{ file: picture, svg: draw(results) }] };
  },
};

const HEAD = ["round trips, ms", "", "", "median", "added", "95 %", "added", "lost", "Mbit/s"];

function idleMedian(result: CaseResult): number {
  return figure(result, { label: "idle" }, "medianMillis").median;
}

function rows(results: PartResults): string[][] {
  return Object.entries(results).flatMap(([set, result]) =>
    CARRIERS_SHOWN.flatMap(([carrier, text, , label]) =>
      (label === "idle" ? (["up"] as const) : WAYS).flatMap((way) => {
        const of = (what: string) => figure(result, { carrier, label, way }, what);
        if (Number.isNaN(of("medianMillis").median)) return [];
        const idle = idleMedian(result);
        return [
          [
            set,
            text,
            label === "idle" ? "" : way,
            showSpread(of("medianMillis")),
            show(of("medianMillis").median - idle),
            showSpread(of("highMillis")),
            show(of("highMillis").median - idle),
            showPercent(of("lost").median),
            label === "idle" ? "–" : showSpread(of("mbits")),
          ],
        ];
      }),
    ),
  );
}

const LONGEST_SHOWN = 1_000;

function draw(results: PartResults): string {
  const panels = WAYS.flatMap((way) =>
    Object.entries(results).map(([set, result]): Panel => {
      const marks = CARRIERS_SHOWN.flatMap(([carrier, , tone, label]): Mark[] => {
        const trials = trialsOf(result, { carrier, label, ...(label === "loaded" && { way }) });
        if (trials.length === 0) return [];
        const points = Array.from({ length: QUANTILES + 1 }, (_, i) => {
          const at = median(trials.map((trial) => trial.series?.quantiles?.[i] ?? Number.NaN));
          return [at, i / QUANTILES] as const;
        });
        return [{ kind: "line", tone, points, isDashed: label === "idle" }];
      });
      return {
        title: `${set}, ${way === "down" ? "download" : "upload"}`,
        x: { label: "round trip, ms", from: 5, to: LONGEST_SHOWN, isLogarithmic: true },
        y: { label: "share", from: 0, to: 1 },
        marks,
      };
    }),
  );
  const legend = CARRIERS_SHOWN.map(([, text, tone, label]) => ({
    tone,
    text,
    isLine: true,
    isDashed: label === "idle",
  }));
  const note = "Share of pings that took at most so long, beside one TCP flow (medians of the runs).";
  const source = shortProvenance(results);
  return panelsPicture({ title, note, source, legend }, panels, Object.keys(results).length, 170);
}
