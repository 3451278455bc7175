/** The 16 profiles that mqvpn published, two links each. */
import { PUBLISHED_PROFILES } from "../../sim/profiles.ts";
import { type Case, type Part, pictureName } from "../part.ts";
import { capacityFacts, comparison, observeThroughput, throughputSection, throughputSummary } from "./throughput.ts";

const name = "profiles";
/** Between two others that are alike but for a number, which a quick look has. */
const BETWEEN = ["rtt_70", "jit_5", "loss_05"];
const title = "Sixteen published profiles";

export const PROFILES: Part = {
  name,
  title,
  cases: Object.entries(PUBLISHED_PROFILES).map(
    ([profile, links]): Case => ({
      name: profile,
      facts: (suite) => capacityFacts(links, suite),
      isSlow: BETWEEN.includes(profile),
      experiments: (scope) => comparison(links, scope, { hasGreedy: !scope.isQuick }),
    }),
  ),
  observe: observeThroughput,
  summary: throughputSummary,
  section: (results, stage) =>
    throughputSection(results, {
      intro:
        "Two links each, after the report of mqvpn, which published them: rates, delays, jitter with reordering, and loss, in both " +
        "directions alike; a queue of 1000 packets.",
      picture: pictureName(stage, name),
      title,
    }),
};
