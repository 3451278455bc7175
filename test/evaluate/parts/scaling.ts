/** The dissertation's sections 4.3.2 and 4.5: more links, and faster ones; its figure 4.6 carried on. */
import type { LinkShape } from "../../sim/link-model.ts";
import type { Tone } from "../../support/plot/document.ts";
import type { Mark, Panel, SpreadPoint } from "../../support/plot/panel.ts";
import { panelsPicture } from "../../support/plot/pictures.ts";
import { type Axis, roundUp } from "../../support/plot/scale.ts";
import { type Carrier, WAYS, type Way } from "../experiment.ts";
import { shortProvenance } from "../markdown.ts";
import { type Case, type Part, pictureName } from "../part.ts";
import type { PartResults } from "../results.ts";
import { access } from "./links.ts";
import {
  capacityFacts,
  compare,
  comparison,
  observeThroughput,
  throughputSummary,
  throughputTable,
} from "./throughput.ts";

const RATES = [25, 50, 100, 200];
const COUNTS = [1, 2, 4, 8];
const SECONDS = 6;

const name = "scaling";
const title = "More and faster links";

function caseOf(caseName: string, links: readonly LinkShape[], x: number, hasGreedy: boolean): Case {
  return {
    name: caseName,
    facts: (suite) => ({ ...capacityFacts(links, suite), x }),
    isSlow: true,
    experiments: (scope) => comparison(links, scope, { hasGreedy, seconds: SECONDS, runs: 1 }),
  };
}

export const SCALING: Part = {
  name,
  title,
  cases: [
    ...COUNTS.map((count) => caseOf(`links_${count}`, new Array<LinkShape>(count).fill(access(16, 5)), count, true)),
    ...RATES.map((rate) => caseOf(`rate_${rate}`, [access(rate, 10), access(rate, 10)], rate, false)),
  ],
  observe: observeThroughput,
  summary: throughputSummary,
  section: (results, stage) => {
    const picture = pictureName(stage, name);
    const markdown = [
      "Up to eight links of 16 Mbit/s and 10 ms round trip; and two links of 10 to 200 Mbit/s each and 20 ms. Both portals, the emulator, the hosts and " +
        "their kernels share the processors of one machine, so the fastest links show its limit as much as the tunnel's.",
      `![${title}](${picture})`,
      throughputTable(results),
    ];
    return { markdown: markdown.join("\n\n"), pictures: [{ file: picture, svg: draw(results) }] };
  },
};

const LINES: readonly (readonly [Carrier, Tone, string])[] = [
  ["adaptive", "tunnel", "tunnel"],
  ["greedy", "dissertation", "tunnel, the dissertation's modes"],
  ["alone", "alone", "one link alone"],
];

function draw(results: PartResults): string {
  const groups: readonly (readonly [string, Omit<Axis, "from" | "to">])[] = [
    ["links", { label: "links of 16 Mbit/s" }],
    ["rate", { label: "Mbit/s of each of two links", isLogarithmic: true }],
  ];
  const panels = groups.flatMap(([prefix, axis]) => WAYS.map((way) => panelOf(results, prefix, axis, way)));
  const legend = [
    ...LINES.map(([, tone, text]) => ({ tone, text, isLine: true })),
    { tone: "limit" as const, text: "C_eff", isLine: true, isDashed: true },
  ];
  const note = "Goodput of one TCP flow after its first 2 s, Mbit/s; medians and quartiles.";
  return panelsPicture({ title, note, source: shortProvenance(results), legend }, panels, 2, 190);
}

function panelOf(results: PartResults, prefix: string, axis: Omit<Axis, "from" | "to">, way: Way): Panel {
  const found = Object.entries(results).filter(([caseName]) => caseName.startsWith(prefix));
  const xs = found.map(([, { facts }]) => facts.x ?? 0);
  const lines = LINES.flatMap(([carrier, tone]): Mark[] => {
    const points = found.flatMap(([, result], i): SpreadPoint[] => {
      const { low, median, high } = compare(result, way).steady[carrier];
      return Number.isNaN(median) ? [] : [[xs[i] ?? 0, median, low, high]];
    });
    return [
      { kind: "line", tone, points: points.map(([x, y]) => [x, y] as const) },
      { kind: "dots", tone, points },
    ];
  });
  const capacities = found.map(([, { facts }], i) => [xs[i] ?? 0, facts.capacity ?? 0] as const);
  return {
    title: way === "down" ? "Download" : "Upload",
    x: { ...axis, from: axis.isLogarithmic ? 8 : 0, to: axis.isLogarithmic ? 250 : 9, ticks: 9 },
    y: { label: "Mbit/s", from: 0, to: roundUp(Math.max(1, ...capacities.map(([, y]) => y)) * 1.05) },
    marks: [{ kind: "line", tone: "limit", points: capacities, isDashed: true }, ...lines],
  };
}
