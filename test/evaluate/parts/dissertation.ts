/** The sets of links of the dissertation (sections 4.2.5, 4.3.1, 4.3.2): its figures 4.2, 4.4 and 4.5. */
import { DISSERTATION_PROFILES } from "../../sim/profiles.ts";
import { WAYS } from "../experiment.ts";
import { markdownTable } from "../markdown.ts";
import { type Case, type Part, pictureName } from "../part.ts";
import type { PartResults } from "../results.ts";
import { show, showSpread } from "../trials.ts";
import {
  capacityFacts,
  compare,
  comparison,
  observeThroughput,
  throughputSection,
  throughputSummary,
} from "./throughput.ts";

/** Share of C_eff that is aimed at. */
const AIM = 0.97;
const QUICK = ["2x16", "8+16", "4x16"];
const name = "dissertation";
const title = "The dissertation's links";

export const DISSERTATION: Part = {
  name,
  title,
  cases: Object.entries(DISSERTATION_PROFILES).map(
    ([set, links]): Case => ({
      name: set,
      facts: (suite) => capacityFacts(links, suite),
      isSlow: !QUICK.includes(set),
      experiments: (scope) => comparison(links, scope, { hasGreedy: !scope.isQuick || set === "2x16" }),
    }),
  ),
  observe: observeThroughput,
  summary: throughputSummary,
  section: (results, stage) =>
    throughputSection(results, {
      intro:
        "Equal and unequal links of 8, 16 and 32 Mbit/s (its 1, 2 and 4 MB/s), 10 ms round trip, a queue of 100 packets. These are " +
        "the graphs of its figures 4.2, 4.4 and 4.5.",
      picture: pictureName(stage, name),
      title,
      aim: AIM,
      more: [doubled(results), fourAndThree(results)].filter(Boolean).join("\n\n"),
    }),
};

/** Compares, as figure 4.4 does, two links with one of the same speed and one of twice the speed. */
function doubled(results: PartResults): string {
  const pairs = [
    ["2x8", "2x16", "two links of 8", "one of 8", "one of 16"],
    ["2x16", "16+32", "two links of 16", "one of 16", "one of 32"],
  ] as const;
  const rows = pairs.flatMap(([set, twice, ...names]) =>
    WAYS.flatMap((way) => {
      const [same, double] = [compare(results[set], way).steady, compare(results[twice], way).steady];
      if (Number.isNaN(same.adaptive.median) || Number.isNaN(double.alone.median)) return [];
      const cells = [same.adaptive, same.alone, double.alone].map((spread, i) => `${names[i]}: ${showSpread(spread)}`);
      return [[...cells, way]];
    }),
  );
  if (rows.length === 0) return "";
  const head = ["tunnel, Mbit/s", "same speed, no tunnel", "twice the speed, no tunnel", ""];
  return `Between one link of the same speed and one of twice the speed:\n\n${markdownTable(head, rows)}`;
}

/** Tells what the fourth link adds (section 4.3.2). */
function fourAndThree(results: PartResults): string {
  const gains = WAYS.map((way) => {
    const of = (set: string) => compare(results[set], way).steady.adaptive.median;
    return `${show(of("4x16") / of("3x16"), 2)} ${way}`;
  });
  return results["3x16"] && results["4x16"] ? `Four links of 16 Mbit/s against three: ${gains.join(", ")}.` : "";
}
