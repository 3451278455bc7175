/**
 * Point 5: a link falls silent. A TCP ping and pong and UDP at 1 Mbit/s while either link is cut at eight phases, and a bulk
 * flow while one is cut and comes back: the graphs that the dissertation left as blanks in sections 4.2.1 and 4.3.4.
 */
import { table } from "../../lab/demo-text.ts";
import { effectiveCapacity } from "../../support/capacity.ts";
import type { Tone } from "../../support/plot/document.ts";
import type { Mark, Panel } from "../../support/plot/panel.ts";
import { panelsPicture } from "../../support/plot/pictures.ts";
import { roundUp } from "../../support/plot/scale.ts";
import { median, sum } from "../../support/statistics.ts";
import { type Carrier, meanBetween, type Outcome, WAYS, type Way } from "../experiment.ts";
import { markdownTable, provenance, shortProvenance } from "../markdown.ts";
import {
  type Case,
  fewerRuns,
  type LabelledExperiment,
  type Observation,
  type Part,
  type Picture,
  pictureName,
  type Scope,
} from "../part.ts";
import type { CaseResult } from "../results.ts";
import { medianLine, seriesSpread, TENTHS, timeUntil } from "../series.ts";
import { figure, show, showSpread, trialsOf } from "../trials.ts";
import { access } from "./links.ts";

const LINKS = [access(16, 5), access(16, 5)];
const PHASES = 8;
/** Between one phase and the next, seconds: eight make a round of the ping and pong, its pause included. */
const PHASE = 0.0027;
const CUT_AT = 1;
const SPARSE_SECONDS = 2.5;
/** The last pong may come so long before the end without that being a gap, seconds. */
const LAST_PONG = 0.15;
const STREAM = 1e6;
/** Bytes of a datagram of it. */
const STREAM_SIZE = 1_000;
const BULK = { seconds: 13, cut: 3.5, back: 7, settle: 1.5 } as const;
const FULL_SHARE = 0.9;
const AIM = { gapMillis: 250, lostMillis: 100 } as const;

function cuts(scope: Scope): LabelledExperiment[] {
  const one = (carrier: Carrier, way: Way, link: number, phase: number): LabelledExperiment => ({
    links: LINKS,
    carrier,
    way,
    seconds: SPARSE_SECONDS,
    seed: scope.seed + phase,
    hasPingPong: true,
    stream: STREAM,
    flows: 0,
    steps: [{ at: CUT_AT + phase * PHASE, link, change: "cut" }],
    label: `link ${link + 1}`,
  });
  const every = scope.isQuick ? 4 : 1;
  const phases = Array.from({ length: PHASES }, (_, phase) => phase);
  return [0, 1].flatMap((link) =>
    WAYS.flatMap((way) => [
      ...phases.filter((phase) => phase % every === 0).map((phase) => one("adaptive", way, link, phase)),
      ...phases.filter((phase) => phase % 4 === 0 && !scope.isQuick).map((phase) => one("greedy", way, link, phase)),
    ]),
  );
}

function bulks(scope: Scope): LabelledExperiment[] {
  const ways = scope.isQuick ? WAYS.slice(0, 1) : WAYS;
  const one = (carrier: Carrier, run: number): LabelledExperiment[] =>
    ways.map((way) => ({
      links: LINKS,
      carrier,
      way,
      seconds: BULK.seconds,
      seed: scope.seed + run,
      steps: [
        { at: BULK.cut, link: 1, change: "cut" },
        { at: BULK.back, link: 1, change: "restore" },
      ],
    }));
  const runs = Array.from({ length: fewerRuns(scope) }, (_, run) => run);
  return [...runs.flatMap((run) => one("adaptive", run)), ...(scope.isQuick ? [] : one("greedy", 0))];
}

const name = "failover";
const title = "A link that falls silent";

export const FAILOVER: Part = {
  name,
  title,
  cases: [
    { name: "cut", facts: () => ({}), experiments: cuts } satisfies Case,
    {
      name: "bulk",
      facts: (suite) => ({
        capacity: effectiveCapacity(LINKS, suite),
        oneCapacity: effectiveCapacity(LINKS.slice(0, 1), suite),
      }),
      experiments: bulks,
    } satisfies Case,
  ],
  observe: (outcome, { steps }) =>
    outcome.flows.length === 0 ? observeSparse(outcome, steps?.[0]?.at ?? CUT_AT) : observeBulk(outcome),
  summary: (results) =>
    [
      results.cut && table(SPARSE_HEAD, sparseRows(results.cut)),
      results.bulk && table(BULK_HEAD, bulkRows(results.bulk)),
    ]
      .filter(Boolean)
      .join("\n\n"),
  section: (results, stage) => {
    const pieces: string[] = [];
    const pictures: Picture[] = [];
    if (results.cut) {
      const picture = pictureName(stage, `${name}-cut`);
      const overTime = pictureName(stage, `${name}-flows`);
      pictures.push({ file: picture, svg: drawCuts(results.cut) }, { file: overTime, svg: drawFlows(results.cut) });
      pieces.push(
        "Two links of 16 Mbit/s and 10 ms round trip, of which one is cut in both directions without a sign, after " +
          `${CUT_AT} s and a phase of the ping and pong (${PHASES} phases, ${(PHASE * 1e3).toFixed(1)} ms apart). It does not come back. The aim: no gap ` +
          `between pongs over ${AIM.gapMillis} ms, no retransmission timeout of the TCP inside, and at most ${AIM.lostMillis} ms worth of the UDP lost.`,
        `![Gaps and losses when a link is cut](${picture})`,
        markdownTable(SPARSE_HEAD, sparseRows(results.cut)),
        `![Pongs and losses over time when a link is cut](${overTime})`,
      );
    }
    if (results.bulk) {
      const picture = pictureName(stage, `${name}-bulk`);
      pictures.push({ file: picture, svg: drawBulk(results.bulk) });
      pieces.push(
        `One TCP flow over the same links; the second is cut after ${BULK.cut} s and restored after ${BULK.back} s. Means leave out ${BULK.settle} s after ` +
          `a change; *full again* is when the mean of a second reaches ${FULL_SHARE} of the rate before the cut.`,
        `![Goodput when a link is cut](${picture})`,
        markdownTable(BULK_HEAD, bulkRows(results.bulk)),
      );
    }
    return { markdown: [...pieces, provenance(results)].join("\n\n"), pictures };
  },
};

function observeSparse({ pongs = [], stream, timeouts }: Outcome, cutAt: number): Observation {
  const gaps = pongs.map((time, i) => (time - (pongs[i - 1] ?? time)) * 1_000);
  // Should there be none any more, that is a gap too.
  const silence = (SPARSE_SECONDS - LAST_PONG - (pongs.at(-1) ?? 0)) * 1_000;
  const share = stream ? 1 - stream.received / stream.sent : Number.NaN;
  return {
    figures: {
      phase: Math.round((cutAt - CUT_AT) / PHASE) + 1,
      gapMillis: Math.max(silence, ...gaps),
      timeouts,
      lostMillis: share * SPARSE_SECONDS * 1_000,
      streamGapMillis: stream?.longestGapMillis ?? Number.NaN,
    },
    series: { pongAt: pongs.slice(1), pongGapMillis: gaps.slice(1), lostShare: lossByTenth(stream?.lostAt ?? []) },
  };
}

/** Returns the share of the stream lost in each tenth of a second. */
function lossByTenth(lostAt: readonly number[]): number[] {
  const perTenth = STREAM / (8 * STREAM_SIZE * TENTHS);
  return Array.from({ length: SPARSE_SECONDS * TENTHS }, (_, tenth) => {
    const lost = lostAt.filter((at) => Math.floor(at * TENTHS) === tenth).length;
    return Math.min(1, lost / perTenth);
  });
}

function observeBulk({ flows, timeouts }: Outcome): Observation {
  const series = flows[0]?.series ?? [];
  const before = meanBetween(series, BULK.settle, BULK.cut);
  return {
    figures: {
      before,
      cut: meanBetween(series, BULK.cut + BULK.settle, BULK.back),
      after: meanBetween(series, BULK.back + 5, BULK.seconds),
      fullSeconds: timeUntil(series, BULK.back, FULL_SHARE * before),
      timeouts,
    },
    series: { mbits: series },
  };
}

const SPARSE_HEAD = ["", "", "cut", "longest gap, ms: median", "worst", "timeouts", "UDP lost, ms: median", "worst"];

function sparseRows(result: CaseResult): string[][] {
  return (["adaptive", "greedy"] as const).flatMap((carrier) =>
    WAYS.flatMap((way) =>
      ["link 1", "link 2"].flatMap((label) => {
        const values = (what: string) =>
          trialsOf(result, { carrier, way, label }).flatMap((trial) => trial.figures[what] ?? []);
        if (values("gapMillis").length === 0) return [];
        return [
          [
            carrier === "adaptive" ? "tunnel" : "dissertation",
            way,
            label,
            show(median(values("gapMillis")), 0),
            show(Math.max(...values("gapMillis")), 0),
            `${sum(values("timeouts"))} in ${values("timeouts").length} cuts`,
            show(median(values("lostMillis")), 0),
            show(Math.max(...values("lostMillis")), 0),
          ],
        ];
      }),
    ),
  );
}

const BULK_HEAD = ["Mbit/s", "", "before", "cut", "5 s after", "full again, s", "timeouts"];

function bulkRows(result: CaseResult): string[][] {
  return (["adaptive", "greedy"] as const).flatMap((carrier) =>
    WAYS.flatMap((way) => {
      const of = (what: string) => showSpread(figure(result, { carrier, way }, what));
      if (of("before") === "–") return [];
      const timeouts = showSpread(figure(result, { carrier, way }, "timeouts"), 0);
      const who = carrier === "adaptive" ? "tunnel" : "dissertation";
      return [[who, way, of("before"), of("cut"), of("after"), of("fullSeconds"), timeouts]];
    }),
  );
}

const WAY_TONES: Readonly<Record<Way, Tone>> = { down: "down", up: "up" };
/** Dots of download and upload stand beside each other. */
const ASIDE: Readonly<Record<Way, number>> = { down: -0.12, up: 0.12 };

function drawCuts(result: CaseResult): string {
  const rows = [
    ["gapMillis", "longest gap between pongs, ms", AIM.gapMillis],
    ["lostMillis", "UDP lost, ms worth", AIM.lostMillis],
  ] as const;
  const panels = rows.flatMap(([what, label, aim]) =>
    ["link 1", "link 2"].map((cut): Panel => {
      const dots = WAYS.map((way): Mark => {
        const trials = trialsOf(result, { carrier: "adaptive", way, label: cut });
        const points = trials.map(({ figures }) => {
          const value = figures[what] ?? Number.NaN;
          return [(figures.phase ?? 0) + ASIDE[way], value, value, value] as const;
        });
        return { kind: "dots", tone: WAY_TONES[way], points };
      });
      const worst = Math.max(
        aim,
        ...result.trials.flatMap(({ carrier, figures }) => (carrier === "adaptive" ? (figures[what] ?? []) : [])),
      );
      return {
        title: `${cut} cut`,
        x: { label: "phase", from: 0.5, to: PHASES + 0.5, ticks: PHASES },
        y: { label, from: 0, to: roundUp(worst * 1.1) },
        marks: [{ kind: "level", tone: "limit", y: aim }, ...dots],
      };
    }),
  );
  const legend = [
    { tone: "down" as const, text: "UDP towards the client" },
    { tone: "up" as const, text: "UDP away from it" },
    { tone: "limit" as const, text: "aim", isLine: true, isDashed: true },
  ];
  const words = { title: "A link is cut", note: "TCP ping and pong, and UDP at 1 Mbit/s beside it.", legend };
  return panelsPicture({ ...words, source: shortProvenance({ cut: result }) }, panels, 2, 150);
}

/** Draws the dissertation's two graphs of section 4.2.1, for the cuts at the first phase. */
function drawFlows(result: CaseResult): string {
  const first = { ...result, trials: result.trials.filter(({ figures }) => figures.phase === 1) };
  const panels = ["link 1", "link 2"].flatMap((label): Panel[] => {
    const trials = (way: Way) => trialsOf(first, { carrier: "adaptive", way, label });
    const x = { label: "seconds", from: 0, to: SPARSE_SECONDS };
    const shade: Mark = { kind: "shade", from: CUT_AT, to: SPARSE_SECONDS };
    const pongs = WAYS.flatMap((way) =>
      trials(way).map(({ series }): Mark => {
        const points = (series?.pongAt ?? []).map((at, i) => [at, series?.pongGapMillis?.[i] ?? 0] as const);
        return { kind: "line", tone: WAY_TONES[way], points };
      }),
    );
    const losses = WAYS.flatMap((way) =>
      trials(way).map(({ series }): Mark => {
        const points = (series?.lostShare ?? []).map((share, tenth) => [(tenth + 0.5) / TENTHS, 100 * share] as const);
        return { kind: "line", tone: WAY_TONES[way], points };
      }),
    );
    return [
      { title: `${label} cut: TCP`, x, y: { label: "between pongs, ms", from: 0, to: 150 }, marks: [shade, ...pongs] },
      {
        title: `${label} cut: UDP`,
        x,
        y: { label: "lost, % of each 0.1 s", from: 0, to: 100 },
        marks: [shade, { kind: "level", tone: "limit", y: 50 }, ...losses],
      },
    ];
  });
  const legend = [
    { tone: "down" as const, text: "with UDP towards the client", isLine: true },
    { tone: "up" as const, text: "with UDP away from it", isLine: true },
    { tone: "limit" as const, text: "the dissertation's bound of 50 %", isLine: true, isDashed: true },
  ];
  const note = "TCP ping and pong with a pause of 10 ms, and UDP at 1 Mbit/s beside it; shaded: the link is cut.";
  const words = { title: "Flows go on when a link is cut", note, legend };
  return panelsPicture({ ...words, source: shortProvenance({ cut: result }) }, panels, 2, 130);
}

function drawBulk(result: CaseResult): string {
  const { capacity = 0, oneCapacity = 0 } = result.facts;
  const panels = WAYS.map((way): Panel => {
    const line = (carrier: Carrier, tone: Tone): Mark[] => {
      const points = seriesSpread(trialsOf(result, { carrier, way }), "mbits");
      return [
        { kind: "area", tone, points },
        { kind: "line", tone, points: medianLine(points) },
      ];
    };
    return {
      title: way === "down" ? "Download" : "Upload",
      x: { label: "seconds", from: 0, to: BULK.seconds, ticks: 7 },
      y: { label: "Mbit/s", from: 0, to: roundUp(capacity * 1.15) },
      marks: [
        { kind: "shade", from: BULK.cut, to: BULK.back },
        { kind: "level", tone: "limit", y: capacity },
        { kind: "level", tone: "limit", y: oneCapacity },
        ...line("greedy", "dissertation"),
        ...line("adaptive", "tunnel"),
      ],
    };
  });
  const legend = [
    { tone: "tunnel" as const, text: "tunnel", isLine: true },
    { tone: "dissertation" as const, text: "the dissertation's modes", isLine: true },
    { tone: "limit" as const, text: "C_eff of both links and of one", isLine: true, isDashed: true },
  ];
  const note = "Goodput of one TCP flow; median and quartiles of the runs; shaded: link 2 is cut.";
  const words = { title: "A link is cut and comes back", note, legend };
  return panelsPicture({ ...words, source: shortProvenance({ bulk: result }) }, panels, 2, 200);
}
