/** Point 4: BBR in the hosts, with the server at several distances behind the remote portal. */
import { MICROS_PER_MILLI } from "../../../src/clock.ts";
import { type Case, fewerRuns, type Part, pictureName } from "../part.ts";
import { access } from "./links.ts";
import { capacityFacts, comparison, observeThroughput, throughputSection, throughputSummary } from "./throughput.ts";

const LINKS = [access(20, 5), access(20, 50)];
/** One way, milliseconds. */
const DISTANCES = [0, 20, 40];

const name = "bbr";
const title = "BBR in the hosts";

export const BBR: Part = {
  name,
  title,
  cases: DISTANCES.map(
    (distance): Case => ({
      name: `server_${distance}ms`,
      facts: (suite) => capacityFacts(LINKS, suite),
      isSlow: distance !== 20,
      experiments: (scope) =>
        comparison(LINKS, scope, {
          hasGreedy: false,
          extra: { control: "bbr", distance: distance * MICROS_PER_MILLI },
          runs: fewerRuns(scope),
        }),
    }),
  ),
  observe: observeThroughput,
  summary: throughputSummary,
  section: (results, stage) =>
    throughputSection(results, {
      intro:
        "The kernel's BBR (version 1) instead of CUBIC. Two links of 20 Mbit/s with round trips of 10 and 100 ms; the server lies 0, 20 or " +
        "40 ms (one way) behind the remote portal.",
      picture: pictureName(stage, name),
      title,
    }),
};
