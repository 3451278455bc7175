/**
 * Point 6: the rate of one of two links falls and rises again, or rises and falls (the dissertation's section 4.3.3, whose
 * graph is a blank). Goodput and the latency of a ping over time.
 */
import { table } from "../../lab/demo-text.ts";
import { effectiveCapacity } from "../../support/capacity.ts";
import type { Tone } from "../../support/plot/document.ts";
import type { Mark, Panel, Point } from "../../support/plot/panel.ts";
import { panelsPicture } from "../../support/plot/pictures.ts";
import { roundUp } from "../../support/plot/scale.ts";
import { type Carrier, meanBetween, WAYS, type Way } from "../experiment.ts";
import { markdownTable, provenance, shortProvenance } from "../markdown.ts";
import { type Case, fewerRuns, type LabelledExperiment, type Part, pictureName, type Scope } from "../part.ts";
import type { CaseResult, PartResults } from "../results.ts";
import { medianLine, seriesSpread, timeUntil, worstByTenth } from "../series.ts";
import { figure, showSpread, trialsOf } from "../trials.ts";
import { access, idleRoundTrip } from "./links.ts";

/** Rates in Mbit/s: of both links before and after, and of the second in between. */
const STEPS: Readonly<Record<string, readonly [usual: number, changed: number]>> = {
  "20-2-20": [20, 2],
  "16-8-16": [16, 8],
  "16-24-16": [16, 24],
};
/** A line that all but breaks down; the others are the dissertation's, and measured with its modes too. */
const FIRST = "20-2-20";
const DELAY = 10;
/** When the rate changes, and changes back; seconds. */
const CHANGED_AT = 4;
const BACK_AT = 8;
const SECONDS = 14;
/** The first seconds of a transfer are not its usual rate. */
const WARM_UP = 2;
/** Added latency that counts as felt, milliseconds. */
const FELT = 30;
const FULL_SHARE = 0.9;

function experiments(
  [usual, changed]: readonly [number, number],
  isDissertations: boolean,
  scope: Scope,
): LabelledExperiment[] {
  const links = [access(usual, DELAY), access(usual, DELAY)];
  const one = (carrier: Carrier, way: Way, run: number): LabelledExperiment => ({
    links,
    carrier,
    way,
    seconds: SECONDS,
    seed: scope.seed + run,
    hasPing: true,
    steps: [
      { at: CHANGED_AT, link: 1, change: { rate: changed * 1e6 } },
      { at: BACK_AT, link: 1, change: { rate: usual * 1e6 } },
    ],
  });
  const runs = Array.from({ length: isDissertations ? 1 : fewerRuns(scope) }, (_, run) => run);
  return [
    ...runs.flatMap((run) => WAYS.map((way) => one("adaptive", way, run))),
    ...(isDissertations ? WAYS.map((way) => one("greedy", way, 0)) : []),
  ];
}

const name = "step";
const title = "A rate that changes";

export const STEP: Part = {
  name,
  title,
  cases: Object.entries(STEPS).map(([step, rates]): Case => {
    const [usual, changed] = [access(rates[0], DELAY), access(rates[1], DELAY)];
    return {
      name: step,
      facts: (suite) => ({
        capacity: effectiveCapacity([usual, usual], suite),
        changedCapacity: effectiveCapacity([usual, changed], suite),
        changedAt: CHANGED_AT,
        backAt: BACK_AT,
        seconds: SECONDS,
      }),
      isSlow: step !== FIRST,
      experiments: (scope) => experiments(rates, step !== FIRST, scope),
    };
  }),
  observe: ({ flows, ping }, { links }) => {
    const series = flows[0]?.series ?? [];
    const idle = idleRoundTrip(links);
    const added = (ping?.answers ?? []).map(([at, millis]) => [at, millis - idle] as const);
    const usual = meanBetween(series, WARM_UP, CHANGED_AT);
    // A ping is felt until its answer comes.
    const ends = added.filter(([, millis]) => millis > FELT).map(([at, millis]) => at + (millis + idle) / 1_000);
    const felt = Math.max(CHANGED_AT, ...ends.filter((end) => end < BACK_AT)) - CHANGED_AT;
    return {
      figures: {
        before: usual,
        changed: meanBetween(series, CHANGED_AT + WARM_UP, BACK_AT),
        after: meanBetween(series, BACK_AT + WARM_UP, SECONDS),
        feltSeconds: felt,
        worstMillis: Math.max(0, ...added.filter(([at]) => at >= CHANGED_AT).map(([, millis]) => millis)),
        fullSeconds: timeUntil(series, BACK_AT, FULL_SHARE * usual),
      },
      series: { mbits: series, addedMillis: worstByTenth(added, SECONDS) },
    };
  },
  summary: (results) => table(HEAD, rows(results)),
  section: (results, stage) => {
    const picture = pictureName(stage, name);
    const markdown = [
      `Two links of 20 ms round trip; the second one's rate changes after ${CHANGED_AT} s and back after ${BACK_AT} s. Its queue holds 100 ms at the ` +
        "usual rate, and so ten times as long at a tenth of it. The last two are the dissertation's (section 4.3.3: 2 + 2 to 1 + 2 and to 3 + 2 MB/s). The aim " +
        `for 20-2-20: added latency back under ${FELT} ms within 2 s, and ${FULL_SHARE} of the former rate within 5 s of its return.`,
      `![${title}](${picture})`,
      markdownTable(HEAD, rows(results)),
      provenance(results),
    ];
    return { markdown: markdown.join("\n\n"), pictures: [{ file: picture, svg: draw(results) }] };
  },
};

const HEAD = [
  "Mbit/s",
  "",
  "",
  "before",
  "changed",
  "after",
  "ping worst, ms",
  `over ${FELT} ms for, s`,
  "full again, s",
];

function rows(results: PartResults): string[][] {
  return Object.entries(results).flatMap(([step, result]) =>
    (["adaptive", "greedy"] as const).flatMap((carrier) =>
      WAYS.flatMap((way) => {
        const of = (what: string, digits = 1) => showSpread(figure(result, { carrier, way }, what), digits);
        if (of("before") === "–") return [];
        return [
          [
            step,
            carrier === "adaptive" ? "tunnel" : "dissertation",
            way,
            of("before"),
            of("changed"),
            of("after"),
            of("worstMillis", 0),
            of("feltSeconds"),
            of("fullSeconds"),
          ],
        ];
      }),
    ),
  );
}

const LINES: readonly (readonly [Carrier, Way, Tone, string])[] = [
  ["greedy", "down", "dissertation", "the dissertation's modes, download"],
  ["adaptive", "up", "up", "tunnel, upload"],
  ["adaptive", "down", "down", "tunnel, download"],
];

function draw(results: PartResults): string {
  const panels = Object.entries(results).flatMap(([step, result]): Panel[] => {
    const { capacity = 0, changedCapacity = 0, changedAt = 0, backAt = 0, seconds = 0 } = result.facts;
    const shade: Mark = { kind: "shade", from: changedAt, to: backAt };
    const x = { label: "seconds", from: 0, to: seconds, ticks: 7 };
    const top = roundUp(Math.max(capacity, changedCapacity) * 1.05);
    return [
      {
        title: `${step} Mbit/s`,
        x,
        y: { label: "goodput, Mbit/s", from: 0, to: top },
        marks: [shade, limitOf(result), ...lines(result, "mbits")],
      },
      {
        title: "Latency beside it",
        x,
        y: { label: "added by load, ms (worst in 0.1 s)", from: 1, to: 1_000, isLogarithmic: true },
        marks: [shade, { kind: "level", tone: "limit", y: FELT }, ...lines(result, "addedMillis")],
      },
    ];
  });
  const legend = [
    ...LINES.toReversed().map(([, , tone, text]) => ({ tone, text, isLine: true })),
    { tone: "limit" as const, text: `C_eff; ${FELT} ms`, isLine: true, isDashed: true },
  ];
  const note = "Medians of the runs; shaded: the time with the changed rate.";
  return panelsPicture({ title, note, source: shortProvenance(results), legend }, panels, 2, 160);
}

function limitOf({ facts }: CaseResult): Mark {
  const { capacity = 0, changedCapacity = 0, changedAt = 0, backAt = 0, seconds = 0 } = facts;
  const points: Point[] = [
    [0, capacity],
    [changedAt, capacity],
    [changedAt, changedCapacity],
    [backAt, changedCapacity],
    [backAt, capacity],
    [seconds, capacity],
  ];
  return { kind: "line", tone: "limit", points, isDashed: true };
}

function lines(result: CaseResult, what: string): Mark[] {
  return LINES.map(([carrier, way, tone]) => ({
    kind: "line",
    tone,
    points: medianLine(seriesSpread(trialsOf(result, { carrier, way }), what)),
  }));
}
