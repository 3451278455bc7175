/** The sets of links of the dissertation (sections 4.2.5, 4.3.1, 4.3.2): its figures 4.2, 4.4 and 4.5. */
import { DISSERTATION_PROFILES } from "../../sim/profiles.ts";
import { type Case, type Part, pictureName } from "../part.ts";
import { capacityFacts, comparison, observeThroughput, throughputSection, throughputSummary } from "./throughput.ts";

const QUICK = ["2x16", "8+16", "4x16"];
const name = "dissertation";
const title = "The dissertation's links";

export const DISSERTATION: Part = {
  name,
  title,
  cases: Object.entries(DISSERTATION_PROFILES).map(
    ([set, links]): Case => ({
      name: set,
      facts: capacityFacts(links),
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
    }),
};
