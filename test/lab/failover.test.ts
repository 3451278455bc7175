// The dissertation's success criteria about links that come and go (sections 4.2.1, 4.3.4, 4.3.6), and restarts.
import { expect, test } from "bun:test";
import { PLAN } from "./addresses.ts";
import { atLeast, atMost, describeLab, during, line, meanBetween, measured, WAYS } from "./lab.ts";
import { ping } from "./ping.ts";
import { pathsUp, usualPlans } from "./portals.ts";

const RATE = 16e6;
/** The dissertation's rate for UDP. */
const STREAM_RATE = 128_000;

/** Longest time without a pong: what the dissertation found, and TCP's second timeout (0.2 + 0.4 s) with a round trip through the queue. */
const LONGEST_GAP_MILLIS = 1_000;
/** A pong each 22 ms (10 of the link, 10 of the pause, 2 of the hosts) for 7 s, less two cuts; half of that. */
const LEAST_PONGS = 150;
/** In the second of the cut, the link that is silent had half of the stream. */
const HALF = 0.5;
/** Share of one link's rate while the other is cut: the headers of the tunnel take 5 %, and the search for the rate begins anew. */
const ALONE_SHARE = 0.75;
/** Multiple of one link's rate when both have been back for 5 s: two, less headers and the search. */
const BACK_SHARE = 1.4;
/** Probes, their answers and acknowledgements on a path that stands by for a few seconds, kB. */
const STANDBY_KILOBYTES = 60;
/** The dissertation's criterion for a restart (section 4.3.6), and this test's name. */
const RECOVERED_MILLIS = 2_000;

describeLab("a tunnel of two links", { links: [line(RATE), line(RATE)] }, (lab) => {
  const reset = () => lab.reset([line(RATE), line(RATE)]);
  const { client, server } = PLAN[4];

  measured("keeps a TCP ping and pong going while either link is cut", async () => {
    await reset();
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const [pongs] = await Promise.all([
      lab.traffic.pingPong(client, 7_000),
      during([
        [1_000, () => lab.topology.cut(0)],
        [2_500, () => lab.topology.restore(0)],
        [5_000, () => lab.topology.cut(1)],
      ]),
    ]);
    atMost("longest gap, ms", pongs.longestGapMillis, LONGEST_GAP_MILLIS);
    atLeast("answers", pongs.answers, LEAST_PONGS);
    atLeast("last answer, ms", pongs.times.at(-1) ?? 0, 7_000 - HALF * LONGEST_GAP_MILLIS);
  });

  for (const way of WAYS)
    measured(`keeps UDP going while a link is cut, ${way}`, async () => {
      await reset();
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      for (const link of [0, 1]) {
        const [stream] = await Promise.all([
          lab.traffic.stream(client, way, STREAM_RATE, 4_000),
          during([[1_300, () => lab.topology.cut(link)]]),
        ]);
        atMost(`most lost in a second, link ${link} cut, ${way}`, Math.max(...stream.lossBySecond), HALF);
        atMost(`lost in the last two seconds, ${way}`, Math.max(...stream.lossBySecond.slice(-2)), 0);
        await lab.topology.restore(link);
        await lab.portals.local.untilUp(2);
        await lab.portals.remote.untilUp(2);
      }
    });

  for (const way of WAYS)
    measured(`falls back to one link, and takes the other up again, ${way}`, async () => {
      await reset();
      const single = await lab.direct(RATE, way);
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      const [bulk] = await Promise.all([
        lab.tunnel(way, 13_000),
        during([
          [2_500, () => lab.topology.cut(1)],
          [5_500, () => lab.topology.restore(1)],
        ]),
      ]);
      atLeast(`while cut, ${way}`, meanBetween(bulk, 4, 5.5) / single, ALONE_SHARE);
      atLeast(`5 s after its return, ${way}`, meanBetween(bulk, 10.5, 13) / single, BACK_SHARE);
    });

  measured("leaves a link of higher metric alone until the others are down", async () => {
    await reset();
    const { local, remote } = usualPlans([0, 1]);
    const peers = local.peers.map((peer, i) => ({ ...peer, Metric: i === 1 ? 10 : 0 }));
    await lab.portals.startBoth({ remote, local: { peers } }, 2);
    const bytesOf = async (link: number) => {
      const [up, down] = (await lab.topology.counters()).cables[link] ?? [];
      return (up?.offeredBytes ?? 0) + (down?.offeredBytes ?? 0);
    };
    const before = await bytesOf(1);
    for (const way of WAYS) await lab.tunnel(way, 1_500);
    atMost("kB on the standby link", ((await bytesOf(1)) - before) / 1_000, STANDBY_KILOBYTES);
    const [pongs] = await Promise.all([
      lab.traffic.pingPong(client, 6_000),
      during([
        [1_000, () => lab.topology.cut(0)],
        [3_000, () => lab.topology.restore(0)],
      ]),
    ]);
    atMost("longest gap, ms", pongs.longestGapMillis, LONGEST_GAP_MILLIS);
    const back = await bytesOf(1);
    await lab.tunnel("up", 1_500);
    atMost("kB on the standby link afterwards", ((await bytesOf(1)) - back) / 1_000, STANDBY_KILOBYTES);
  });

  for (const place of ["local", "remote"] as const)
    measured(`recovers in under 2 s when the ${place} portal restarts`, async () => {
      await reset();
      const plans = usualPlans([0, 1]);
      await lab.portals.startBoth(plans, 2);
      const pongs = lab.traffic.pingPong(client, 6_000);
      // Should the restart itself fail, that is what the test tells.
      pongs.catch(() => undefined);
      await Bun.sleep(1_000);
      // Without a goodbye: the peer must find out on its own.
      await lab.portals[place].stop("SIGKILL");
      await lab.portals.start(place, plans[place]);
      const began = performance.now();
      await lab.portals.local.untilUp(2);
      const up = performance.now() - began;
      const round = await ping(lab.topology, "client", { from: client, to: server, count: 5 });
      atMost("until both links are up again, ms", up, RECOVERED_MILLIS);
      expect(round.lost).toBe(0);
      atLeast("last pong, ms", (await pongs).times.at(-1) ?? 0, 6_000 - LONGEST_GAP_MILLIS);
    });

  for (const first of ["local", "remote"] as const)
    test(`comes up when the ${first} portal starts first and no link is up`, async () => {
      await lab.reset([]);
      const plans = usualPlans([0, 1], { peer: { RetryWait: 0.1 } });
      const second = first === "local" ? "remote" : "local";
      await lab.portals.start(first, plans[first]);
      await lab.portals.start(second, plans[second]);
      await Bun.sleep(1_000);
      expect(pathsUp(await lab.portals.local.snapshot())).toBe(0);
      for (const link of [0, 1]) await lab.topology.restore(link);
      await lab.topology.reshape([line(RATE), line(RATE)]);
      await lab.portals.local.untilUp(2);
      await lab.portals.remote.untilUp(2);
      const round = await ping(lab.topology, "client", { from: client, to: server, count: 5 });
      expect(round.lost).toBe(0);
    });
});
