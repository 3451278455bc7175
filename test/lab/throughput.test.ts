// The dissertation's success criteria about throughput (sections 4.2.2, 4.2.5, 4.3.1 to 4.3.3), each in both directions.
import { atLeast, atMost, describeLab, during, line, meanBetween, measured, WAYS } from "./lab.ts";
import { usualPlans } from "./portals.ts";

const SLOW = 8e6;
const FAST = 16e6;
/** The least share of each further link's speed that one flow must gain, by the dissertation (section 4.2.2): 1.6 times for two. */
const GAIN = 0.8;

/** Multiple of a fast link's rate that 8 + 16 Mbit/s give: more than it has alone, and no more than both have together. */
const UNEQUAL = [1.1, (SLOW + FAST) / FAST] as const;
/** Multiple of three links' rate that four give: a third more, of which half is for the search. */
const FOURTH = 1 + 1 / 3 / 2;
/** Multiple of a link of 16 Mbit/s that 16 + 4 give: nine tenths of the faster, and no more than both and a tenth of what the queue lends. */
const SLOWED = [0.9, (FAST + SLOW / 2) / FAST + 0.1] as const;

describeLab("one TCP flow", { links: [line(FAST), line(FAST), line(FAST), line(FAST)] }, (lab) => {
  for (const way of WAYS) {
    measured(`gains from two equal links, ${way}`, async () => {
      await lab.reset([line(FAST), line(FAST)]);
      const single = await lab.direct(FAST, way);
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      atLeast(`two links against one, ${way}`, (await lab.tunnel(way)).steadyMbits / single, 2 * GAIN);
    });

    measured(`gains from two equal links with greedy pull and New Reno, ${way}`, async () => {
      await lab.reset([line(FAST), line(FAST)]);
      const single = await lab.direct(FAST, way);
      const dissertation = { host: { Scheduling: "greedy" }, peer: { Congestion: "newreno" } };
      await lab.portals.startBoth(usualPlans([0, 1], dissertation), 2);
      atLeast(`two links against one, greedy, ${way}`, (await lab.tunnel(way)).steadyMbits / single, 2 * GAIN);
    });

    measured(`gains from a link ten times as far away, ${way}`, async () => {
      await lab.reset([line(FAST), { both: { ...line(FAST).both, delay: 50_000 } }]);
      const single = await lab.direct(FAST, way);
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      const bulk = await lab.tunnel(way, 8_000);
      atLeast(`10 and 100 ms away, against the nearer, ${way}`, meanBetween(bulk, 4, 8) / single, 2 * GAIN);
    });

    measured(`gains from unequal links, ${way}`, async () => {
      await lab.reset([line(FAST), line(SLOW)]);
      const single = await lab.direct(FAST, way);
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      // Between two slow links, which carry as much as one fast, and two fast ones.
      const ratio = (await lab.tunnel(way)).steadyMbits / single;
      atLeast(`8 + 16 against 16 Mbit/s, ${way}`, ratio, UNEQUAL[0]);
      atMost(`8 + 16 against 16 Mbit/s, ${way}`, ratio, UNEQUAL[1]);
    });

    measured(`gains from a fourth link, ${way}`, async () => {
      const speeds: number[] = [];
      for (const count of [3, 4]) {
        const links = Array.from({ length: count }, (_, i) => i);
        await lab.reset(links.map(() => line(FAST)));
        const single = await lab.direct(FAST, way);
        await lab.portals.startBoth(usualPlans(links), count);
        const { steadyMbits } = await lab.tunnel(way);
        atLeast(`${count} links against one, ${way}`, steadyMbits / single, count * GAIN);
        speeds.push(steadyMbits);
      }
      atLeast(`four against three, ${way}`, (speeds[1] ?? 0) / (speeds[0] ?? 1), FOURTH);
    });

    measured(`follows a link whose rate falls and rises, ${way}`, async () => {
      await lab.reset([line(FAST), line(FAST)]);
      const single = await lab.direct(FAST, way);
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      const [bulk] = await Promise.all([
        lab.tunnel(way, 11_000),
        during([
          [3_000, () => lab.topology.change(1, line(SLOW / 2))],
          [6_000, () => lab.topology.change(1, line(FAST))],
        ]),
      ]);
      atLeast(`before, ${way}`, meanBetween(bulk, 1.5, 3) / single, 2 * GAIN);
      atLeast(`16 + 4 Mbit/s, ${way}`, meanBetween(bulk, 4.5, 6) / single, SLOWED[0]);
      atMost(`16 + 4 Mbit/s, ${way}`, meanBetween(bulk, 4.5, 6) / single, SLOWED[1]);
      atLeast(`afterwards, ${way}`, meanBetween(bulk, 8.5, 11) / single, 2 * GAIN);
    });
  }
});
