/** Point 7: a link that comes and goes, and one that loses a lot; neither may drag the others down. */
import { table } from "../../lab/demo-text.ts";
import type { Mark, Panel } from "../../support/plot/panel.ts";
import { panelsPicture } from "../../support/plot/pictures.ts";
import { type Step, WAYS } from "../experiment.ts";
import { markdownTable, provenance, shortProvenance } from "../markdown.ts";
import { type Case, type LabelledExperiment, type Part, pictureName, type Scope, transferSeconds } from "../part.ts";
import type { CaseResult, PartResults } from "../results.ts";
import { medianLine, seriesSpread } from "../series.ts";
import { figure, show, showSpread, trialsOf } from "../trials.ts";
import { access } from "./links.ts";

const LINK = access(20, 10);
const LOSSY = { ...LINK, loss: 0.15 };
const HALF_PERIOD = 5;
const MINUTE = 60;
const QUICK_SECONDS = 15;
const STEADY = "one steady link";
const FLAPPING = "one steady, one flapping";
const TWO = "two links";
const THREE = "a lossy one beside them";

function flapping(scope: Scope): LabelledExperiment[] {
  const seconds = scope.isQuick ? QUICK_SECONDS : MINUTE;
  const { seed } = scope;
  const changes = Array.from(
    { length: Math.floor(seconds / HALF_PERIOD) - 1 },
    (_, i): Step => ({
      at: (i + 1) * HALF_PERIOD,
      link: 1,
      change: i % 2 === 0 ? "cut" : "restore",
    }),
  );
  return WAYS.flatMap((way): LabelledExperiment[] => [
    { links: [LINK, LINK], carrier: "adaptive", way, seconds, seed, steps: changes, label: FLAPPING },
    { links: [LINK], carrier: "adaptive", way, seconds: transferSeconds(scope), seed, label: STEADY },
  ]);
}

function lossy(scope: Scope): LabelledExperiment[] {
  const shared = { carrier: "adaptive", seconds: transferSeconds(scope), seed: scope.seed } as const;
  return WAYS.flatMap((way): LabelledExperiment[] => [
    { ...shared, way, links: [LINK, LINK], label: TWO },
    { ...shared, way, links: [LINK, LINK, LOSSY], label: THREE },
  ]);
}

const name = "flap";
const title = "A link that comes and goes, and a lossy one";

export const FLAP: Part = {
  name,
  title,
  cases: [
    { name: "flap", facts: () => ({}), experiments: flapping } satisfies Case,
    { name: "lossy", facts: () => ({}), isSlow: true, experiments: lossy } satisfies Case,
  ],
  observe: ({ flows, timeouts }, { label }) => ({
    figures: { mbits: flows[0]?.mbits ?? 0, steadyMbits: flows[0]?.steadyMbits ?? 0, timeouts },
    ...(label === FLAPPING && { series: { mbits: flows[0]?.series ?? [] } }),
  }),
  summary: (results) => table(HEAD, rows(results)),
  section: (results, stage) => {
    const picture = pictureName(stage, name);
    const markdown = [
      `Links of 20 Mbit/s and 20 ms round trip. *flap*: one of two is cut for ${HALF_PERIOD} s, back for ${HALF_PERIOD} s, and so on; the aim is at most 7 % less than with ` +
        "the steady link alone. *lossy*: a third link loses 15 % of what it carries; the aim is not less than with the other two.",
      results.flap ? `![${title}](${picture})` : "",
      markdownTable(HEAD, rows(results)),
      provenance(results),
    ];
    return {
      markdown: markdown.filter(Boolean).join("\n\n"),
      pictures: results.flap ? [{ file: picture, svg: draw(results.flap) }] : [],
    };
  },
};

const HEAD = ["Mbit/s", "", "goodput", "of that without"];

function rows(results: PartResults): string[][] {
  const pairs = [
    [results.flap, FLAPPING, STEADY],
    [results.lossy, THREE, TWO],
  ] as const;
  const wanted = pairs.flatMap(([result, troubled, without]) =>
    WAYS.map((way) => ({ result, troubled, without, way })),
  );
  return wanted.flatMap(({ result, troubled, without, way }) => {
    const of = (label: string) => figure(result, { way, label }, "steadyMbits");
    if (Number.isNaN(of(troubled).median)) return [];
    const share = show(of(troubled).median / of(without).median, 2);
    return [
      [without, way, showSpread(of(without)), ""],
      [troubled, way, showSpread(of(troubled)), share],
    ];
  });
}

function draw(result: CaseResult): string {
  const longest = Math.max(...result.trials.map((trial) => (trial.series?.mbits?.length ?? 0) / 10));
  const panels = WAYS.map((way): Panel => {
    const down = Array.from({ length: Math.floor(longest / (2 * HALF_PERIOD)) }, (_, i): Mark => {
      const from = HALF_PERIOD * (2 * i + 1);
      return { kind: "shade", from, to: from + HALF_PERIOD };
    });
    const steady = figure(result, { label: STEADY, way }, "steadyMbits").median;
    const points = seriesSpread(trialsOf(result, { carrier: "adaptive", way, label: FLAPPING }), "mbits");
    return {
      title: way === "down" ? "Download" : "Upload",
      x: { label: "seconds", from: 0, to: longest, ticks: 12 },
      y: { label: "Mbit/s", from: 0, to: 40 },
      marks: [
        ...down,
        { kind: "line", tone: "tunnel", points: medianLine(points) },
        ...(Number.isNaN(steady) ? [] : [{ kind: "level", tone: "alone", y: steady } as const]),
      ],
    };
  });
  const legend = [
    { tone: "tunnel" as const, text: "tunnel over a steady and a flapping link", isLine: true },
    { tone: "alone" as const, text: "tunnel over the steady link only", isLine: true, isDashed: true },
  ];
  const note = "Goodput of one TCP flow; shaded: the second link is cut.";
  return panelsPicture(
    { title: "A link that comes and goes", note, source: shortProvenance({ flap: result }), legend },
    panels,
    1,
    150,
  );
}
