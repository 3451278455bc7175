/** Point 8: eight flows at once, and a sparse one beside them. */
import { table } from "../../lab/demo-text.ts";
import { jainIndex, median, quantile, sum } from "../../support/statistics.ts";
import { type Carrier, WAYS } from "../experiment.ts";
import { markdownTable, provenance } from "../markdown.ts";
import { fewerRuns, type LabelledExperiment, type Part, type Scope, transferSeconds } from "../part.ts";
import type { PartResults } from "../results.ts";
import { figure, show, showSpread } from "../trials.ts";
import { access, idleRoundTrip } from "./links.ts";
import { capacityFacts } from "./throughput.ts";

const FLOWS = 8;
const LINKS = [access(20, 5), access(20, 20)];
const HEAD = ["eight flows", "", "Jain's index", "Mbit/s together", "of C_eff", "ping, ms", "95 %", "idle"];

function experiments(scope: Scope): LabelledExperiment[] {
  const one = (carrier: Carrier, run: number): LabelledExperiment[] =>
    WAYS.map((way) => ({
      links: LINKS,
      carrier,
      way,
      seconds: transferSeconds(scope),
      seed: scope.seed + run,
      flows: FLOWS,
      hasPing: true,
    }));
  const runs = Array.from({ length: fewerRuns(scope) }, (_, run) => run);
  return [...runs.flatMap((run) => one("adaptive", run)), ...one("greedy", 0)];
}

export const FAIRNESS: Part = {
  name: "fairness",
  title: "Many flows",
  cases: [
    {
      name: "eight",
      facts: (suite) => ({ ...capacityFacts(LINKS, suite), idleMillis: idleRoundTrip(LINKS) }),
      experiments,
    },
  ],
  observe: ({ flows, ping }) => {
    const millis = (ping?.answers ?? []).map(([, round]) => round);
    const rates = flows.map((flow) => flow.steadyMbits);
    return {
      figures: {
        jain: jainIndex(rates),
        mbits: sum(rates),
        medianMillis: median(millis),
        highMillis: quantile(millis, 0.95),
      },
    };
  },
  summary: (results) => table(HEAD, rows(results)),
  section: (results) => ({
    markdown: [
      "Eight TCP flows that take what they get, and a ping every 20 ms as the sparse flow beside them. Two links of 20 Mbit/s, 10 and 40 ms. The " +
        "aim: Jain's index of the flows at least 0.95 (1 is all alike), and the ping as quick as beside one flow.",
      markdownTable(HEAD, rows(results)),
      provenance(results),
    ].join("\n\n"),
    pictures: [],
  }),
};

function rows(results: PartResults): string[][] {
  return Object.values(results).flatMap((result) =>
    (["adaptive", "greedy"] as const).flatMap((carrier) =>
      WAYS.map((way) => {
        const of = (what: string) => figure(result, { carrier, way }, what);
        return [
          carrier === "adaptive" ? "tunnel" : "dissertation",
          way,
          showSpread(of("jain"), 3),
          showSpread(of("mbits")),
          show(of("mbits").median / (result.facts.capacity ?? Number.NaN), 2),
          showSpread(of("medianMillis")),
          showSpread(of("highMillis")),
          show(result.facts.idleMillis ?? Number.NaN),
        ];
      }),
    ),
  );
}
