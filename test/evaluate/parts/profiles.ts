/** The 16 profiles that mqvpn published, two links each. */
import { table } from "../../lab/demo-text.ts";
import { PUBLISHED_PROFILES } from "../../sim/profiles.ts";
import { WAYS } from "../experiment.ts";
import type { Case, Part, Section } from "../part.ts";
import type { PartResults } from "../results.ts";
import { show } from "../trials.ts";
import { capacityFacts, compare, comparison, observeThroughput } from "./throughput.ts";

const HEAD = ["Mbit/s", "way", "C_eff", "best link", "dissertation", "tunnel", "of C_eff", "whole run", "of C_eff"];

export const PROFILES: Part = {
  name: "profiles",
  title: "Sixteen published profiles",
  cases: Object.entries(PUBLISHED_PROFILES).map(
    ([name, links]): Case => ({
      name,
      facts: capacityFacts(links),
      experiments: (scope) => comparison(links, scope, !scope.isQuick),
    }),
  ),
  observe: observeThroughput,
  summary: (results) => table(HEAD, rows(results)),
  section: (results): Section => ({ markdown: table(HEAD, rows(results)), pictures: [] }),
};

function rows(results: PartResults): string[][] {
  return Object.entries(results).flatMap(([name, result]) =>
    WAYS.map((way) => {
      const { capacity, steady, steadyShare, whole, wholeShare } = compare(result, way);
      return [
        name,
        way,
        show(capacity),
        show(steady.alone),
        show(steady.greedy),
        show(steady.adaptive),
        show(steadyShare, 2),
        show(whole.adaptive),
        show(wholeShare, 2),
      ];
    }),
  );
}
