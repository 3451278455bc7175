// Paths narrower than Ethernet, on real kernels: where a router drops without a word, where the local interface refuses, and where either changes.
import { expect, test } from "bun:test";
import type { PathSnapshot } from "../../src/portal/snapshot.ts";
import { FAMILIES, type Family, PLAN } from "./addresses.ts";
import { atLeast, atMost, describeLab, during, type Lab, line, meanBetween, measured, WAYS } from "./lab.ts";
import { ping } from "./ping.ts";
import { type PortalPlace, usualPlans } from "./portals.ts";
import type { LinkPlan } from "./topology.ts";

const RATE = 16e6;
const SHORT = 2_500;
/** Goodput of full packets at this rate, Mbit/s. */
const FULL = (RATE * (1448 / 1518)) / 1e6;

/** Share of full packets on the link: the tunnel's headers and smaller packets take 12 % at 1280 bytes, the search for the rate the rest. */
const LEAST_SHARE = 0.82;
/** The same in seconds that begin with a change; and of two links, one of them narrow. */
const CHANGED_SHARE = 0.75;
const TWO_LINKS_SHARE = 0.8;
/** Fragments before the path's MTU is found: the first window of a flow each way, and the probes' time of it. */
const FIRST_FRAGMENTS = 100;
/** Packets of the tunnel's size, ten in each IP version, each in two fragments or more; at each end half of that. */
const FRAGMENTS = 20;

/** Returns a line on which packets above `mtu` vanish, with no ICMP message. */
function narrow(mtu: number): LinkPlan {
  return { both: { ...line(RATE).both, mtu } };
}

function headers(family: Family, method: string): number {
  return (family === 4 ? 20 : 40) + (method === "IP" ? 0 : 8);
}

async function untilFound(lab: Lab, place: PortalPlace, link: number, mtu: number): Promise<void> {
  const isFound = (path: PathSnapshot | undefined) => path?.mtu === mtu && path.mtuState === "found";
  await lab.portals[place].until(
    `at a datagram of ${mtu} bytes`,
    // The listener has one link with all paths, named after the peer's.
    ({ links }) => isFound(links.flatMap((l) => l.paths).find((path) => path.name.endsWith(`wan${link}`))),
  );
}

describeLab("a tunnel over a narrow path", { links: [line(RATE), line(RATE)] }, (lab) => {
  for (const outer of FAMILIES)
    for (const [Method, mtu] of [
      ["UDP", 1_492],
      ["UDP", 1_428],
      ["IP", 1_420],
      ["UDP", 1_280],
    ] as const)
      measured(`of ${mtu} bytes without ICMP, ${Method} in IPv${outer}, finds it and passes TCP at speed`, async () => {
        await lab.reset([narrow(mtu)]);
        await lab.portals.startBoth(usualPlans([0], { outer, peer: { Method } }), 1);
        for (const place of ["local", "remote"] as const) await untilFound(lab, place, 0, mtu - headers(outer, Method));
        for (const way of WAYS)
          atLeast(`${way}, against full packets`, (await lab.tunnel(way, SHORT)).steadyMbits / FULL, LEAST_SHARE);
        const { fragments } = await lab.portals.local.snapshot();
        atMost("packets sent in fragments", fragments.sent, FIRST_FRAGMENTS);
      });

  for (const outer of FAMILIES)
    test(`takes packets of the tunnel's size over a path of 1280 bytes, in IPv${outer}`, async () => {
      await lab.reset([narrow(1_280)]);
      await lab.portals.startBoth(usualPlans([0], { outer }), 1);
      const { mtu } = await lab.portals.local.snapshot();
      for (const family of FAMILIES) {
        const { client: from, server: to } = PLAN[family];
        const size = mtu - (family === 4 ? 20 : 40) - 8;
        const round = await ping(lab.topology, "client", { from, to, count: 10, size, isWhole: true });
        expect(round.lost, round.text).toBe(0);
      }
      for (const place of ["local", "remote"] as const)
        expect((await lab.portals[place].snapshot()).fragments.sent).toBeGreaterThanOrEqual(FRAGMENTS);
    });

  for (const outer of FAMILIES)
    measured(`follows a local interface that becomes narrow under a transfer, in IPv${outer}`, async () => {
      await lab.reset([line(RATE)]);
      await lab.portals.startBoth(usualPlans([0], { outer }), 1);
      await untilFound(lab, "local", 0, 1_500 - headers(outer, "UDP"));
      try {
        const [bulk] = await Promise.all([
          lab.tunnel("up", 6_000),
          during([[2_000, async () => lab.topology.ip("local", ["link set wan0 mtu 1300"])]]),
        ]);
        atLeast("afterwards, against full packets", meanBetween(bulk, 3, 6) / FULL, CHANGED_SHARE);
        await untilFound(lab, "local", 0, 1_300 - headers(outer, "UDP"));
        const { drops } = await lab.portals.local.snapshot();
        expect(drops["datagram-too-big"]).toBeGreaterThan(0);
      } finally {
        lab.topology.ip("local", ["link set wan0 mtu 1500"]);
      }
    });

  for (const way of WAYS)
    measured(`notices large datagrams vanishing under a transfer, ${way}, and goes on`, async () => {
      await lab.reset([line(RATE)]);
      await lab.portals.startBoth(usualPlans([0]), 1);
      await untilFound(lab, "local", 0, 1_500 - headers(4, "UDP"));
      const [bulk] = await Promise.all([
        lab.tunnel(way, 7_000),
        during([[2_500, () => lab.topology.change(0, narrow(1_300))]]),
      ]);
      atLeast("a second later, against full packets", meanBetween(bulk, 3.5, 7) / FULL, CHANGED_SHARE);
      await untilFound(lab, way === "up" ? "local" : "remote", 0, 1_300 - headers(4, "UDP"));
    });

  measured("uses a narrow link beside a wide one, and finds it when it becomes wide", async () => {
    await lab.reset([narrow(1_400), line(RATE)]);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    await untilFound(lab, "local", 0, 1_400 - headers(4, "UDP"));
    for (const way of WAYS)
      atLeast(`${way}, against full packets`, (await lab.tunnel(way, 4_000)).steadyMbits / (2 * FULL), TWO_LINKS_SHARE);
    await lab.topology.change(0, narrow(1_500));
    await untilFound(lab, "local", 0, 1_500 - headers(4, "UDP"));
  });
});
