// Tests on real kernels how flows share the tunnel, the limits of links, and marks of congestion.
import { expect } from "bun:test";
import type { PathSnapshot } from "../../src/portal/snapshot.ts";
import { jainIndex, quantile, sum } from "../support/statistics.ts";
import { PLAN } from "./addresses.ts";
import { atLeast, atMost, describeLab, line, measured, WAYS } from "./lab.ts";
import { run } from "./namespaces.ts";
import { ping } from "./ping.ts";
import { type Portal, usualPlans } from "./portals.ts";
import type { Way } from "./traffic.ts";

const FAST = 20e6;
const FLOWS = 8;
const MILLIS = 5_000;
const MBIT = 1e6 / 8;
/** Bytes that a limit counts besides the datagrams: IPv4 and UDP. */
const HEADERS = 28;

/** Jain's index of flows of which one has a third less than the others, which a few seconds may not even out. */
const FAIRNESS = 0.9;
/** Goodput of both links, of 40 Mbit/s: headers take a tenth, the search for the far link's rate a fifth of so short a run. */
const TOGETHER_MBITS = 0.7 * 40;
/** Queue that a ping may meet: the sender's of the socket and of a batch, and one datagram of each flow at 20 Mbit/s, ms. */
const ADDED_MILLIS = 10;
/** Shares of a limit: at most a little more, for two questions take time that the one between does not count; and what a flow uses at the least. */
const MOST_OF_LIMIT = 1.03;
const LEAST_OF_LIMIT = 0.8;

async function pathOf(portal: Portal, link: string): Promise<PathSnapshot> {
  const paths = (await portal.snapshot()).links.flatMap((one) => one.paths);
  const path = paths.find((one) => one.name.endsWith(link));
  if (!path) throw new Error(`${portal.place} portal: no path ${link}`);
  return path;
}

function ipBytes({ sent }: PathSnapshot): number {
  return sent.bytes + HEADERS * sent.packets;
}

describeLab("flows", { links: [line(FAST), { both: { ...line(FAST).both, delay: 20_000 } }] }, (lab) => {
  const sparse = (count: number) =>
    ping(lab.topology, "client", { from: PLAN[4].client, to: PLAN[4].server, count, intervalMillis: 20 });
  const sender = (way: Way): Portal => (way === "up" ? lab.portals.local : lab.portals.remote);

  for (const way of WAYS) {
    measured(`share alike, and delay a ping beside them little, ${way}`, async () => {
      await lab.portals.stop();
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      const idle = await sparse(50);
      const [loaded, ...flows] = await Promise.all([
        Bun.sleep(1_500).then(() => sparse(150)),
        ...Array.from({ length: FLOWS }, () => lab.tunnel(way, MILLIS)),
      ]);
      const rates = flows.map((flow) => flow.steadyMbits);
      atLeast(`Jain's index of ${FLOWS} flows, ${way}`, jainIndex(rates), FAIRNESS);
      atLeast(`Mbit/s together, ${way}`, sum(rates), TOGETHER_MBITS);
      // The kernels lengthen single round trips: the median is what the tunnel answers for.
      atMost(`ping beside them, ms above the idle one, ${way}`, loaded.median - idle.median, ADDED_MILLIS);
      console.log(`  95th percentile ${quantile(loaded.roundTrips, 0.95).toFixed(1)} ms, ${loaded.lost} lost`);
      atLeast(`packets of the ping sent twice, ${way}`, (await sender(way).snapshot()).resent.duplicated, 1);
    });

    measured(`keep a link to its limit, ${way}, though only one end was told`, async () => {
      await lab.portals.stop();
      const plans = usualPlans([0, 1]);
      const [first, second] = plans.local.peers;
      const limited = { ...first, LimitOut: "4Mbit", LimitIn: "6Mbit" };
      await lab.portals.startBoth({ ...plans, local: { peers: [limited, { ...second, Metered: "yes" }] } }, 2);
      const limit = (way === "up" ? 4 : 6) * MBIT;
      const transfer = lab.tunnel(way, MILLIS);
      await Bun.sleep(1_500);
      const from = await pathOf(sender(way), "wan0");
      const before = performance.now();
      await Bun.sleep(2_500);
      const until = await pathOf(sender(way), "wan0");
      const seconds = (performance.now() - before) / 1_000;
      await transfer;
      const rate = (ipBytes(until) - ipBytes(from)) / seconds;
      atMost(`of its limit, ${way}`, rate / limit, MOST_OF_LIMIT);
      atLeast(`of its limit, ${way}`, rate / limit, LEAST_OF_LIMIT);
      expect([until.limits.out, (await pathOf(sender(way), "wan1")).limits.metered]).toEqual([limit, true]);
    });

    measured(`that take marks are marked instead of losing packets to the queue, ${way}`, async () => {
      await lab.portals.stop();
      for (const place of ["client", "server"] as const) {
        run(lab.topology.command(place, ["sysctl", "-qw", "net.ipv4.tcp_ecn=1"]));
      }
      await lab.portals.startBoth(usualPlans([0]), 1);
      await lab.tunnel(way, MILLIS);
      const { aqm } = await sender(way).snapshot();
      atLeast(`marked, ${way}`, aqm.marked, 1);
      // Retransmissions and bare acknowledgements take no marks.
      atMost(`dropped, ${way}`, aqm.dropped, aqm.marked);
    });
  }
});
