// Every way from portal to portal: IP versions, methods, who listens, whose address, which interface, how large.
import { expect } from "bun:test";
import { FAMILIES, PLAN } from "./addresses.ts";
import { atLeast, describeLab, type Lab, line, measured, WAYS } from "./lab.ts";
import { ping } from "./ping.ts";
import { type PortalPlan, usualPlans } from "./portals.ts";

const RATE = 16e6;
const SHORT = 1_500;
const LINKS = [line(RATE), line(RATE)];

/** Share of one link's rate that both carry at the least in transfers of a second and a half, of which slow start is most. */
const LEAST_SHARE = 0.85;
/** Half a link: packets of 1300 bytes over a path of 1400 that was found to be narrower by fragments. */
const NARROW_MBITS = RATE / 1e6 / 2;
/** Pings of 1300 bytes over such a path that are answered, of 20: those before the tunnel knows it may be lost. */
const NARROW_PINGS = 10;
/** More than control messages, of the 3 MB that a second and a half at 16 Mbit/s has. */
const USED_KILOBYTES = 100;
const USED_FRAMES = 10;

/** Pings in both IP versions, and one TCP flow each way that must at least keep up with one link. */
async function carries(lab: Lab, from: (family: 4 | 6) => string, least = LEAST_SHARE): Promise<void> {
  for (const family of FAMILIES) {
    const { server } = PLAN[family];
    const round = await ping(lab.topology, "client", { from: from(family), to: server, count: 5 });
    expect(round.lost, round.text).toBe(0);
    for (const way of WAYS) {
      const { steadyMbits } = await lab.traffic.bulk({ from: from(family), way, millis: SHORT, family });
      atLeast(`inner IPv${family}, ${way}, against one link`, (steadyMbits * 1e6) / (RATE * (1448 / 1518)), least);
    }
  }
}

const ownAddress = (family: 4 | 6) => PLAN[family].client;

describeLab("the tunnel", { links: LINKS }, (lab) => {
  for (const outer of FAMILIES)
    measured(`carries IPv4 and IPv6 in IPv${outer}`, async () => {
      await lab.reset(LINKS);
      await lab.portals.startBoth(usualPlans([0, 1], { outer }), 2);
      await carries(lab, ownAddress);
    });

  for (const outer of FAMILIES)
    for (const Method of ["TCP", "IP"])
      measured(`runs over ${Method} in IPv${outer}`, async () => {
        await lab.reset(LINKS);
        await lab.portals.startBoth(usualPlans([0, 1], { outer, peer: { Method } }), 2);
        await carries(lab, ownAddress);
      });

  measured("runs without security", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1], { host: { Security: "none" } }), 2);
    await carries(lab, ownAddress);
  });

  for (const Method of ["UDP", "TCP"])
    measured(`listens at the local portal and initiates at the remote one, over ${Method}`, async () => {
      await lab.reset(LINKS);
      const local: PortalPlan = { peers: [{ Name: "all", Method }] };
      const remote: PortalPlan = {
        peers: [0, 1].map((i) => ({ Name: `wan${i}`, Method, RemoteHost: PLAN[4].wan(i) })),
      };
      await lab.portals.startBoth({ local, remote }, 2);
      await carries(lab, ownAddress);
    });

  measured("tells hosts how large a packet may be", async () => {
    await lab.reset(LINKS);
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    const { mtu } = await lab.portals.local.snapshot();
    const { client: from, server: to } = PLAN[4];
    const headers = 28;
    const fits = await ping(lab.topology, "client", { from, to, count: 3, size: mtu - headers, isWhole: true });
    expect(fits.lost, fits.text).toBe(0);
    const tooBig = await ping(lab.topology, "client", { from, to, count: 3, size: mtu - headers + 1, isWhole: true });
    expect(tooBig.text).toMatch(new RegExp(`mtu ?= ?${mtu}`));
  });

  measured("gets through a router whose next link is narrower than its own", async () => {
    await lab.reset(LINKS);
    lab.topology.ip("inet", ["link set rem mtu 1400"]);
    lab.topology.ip("remote", ["link set eth0 mtu 1400"]);
    try {
      await lab.portals.startBoth(usualPlans([0, 1]), 2);
      const { client: from, server: to } = PLAN[4];
      const round = await ping(lab.topology, "client", { from, to, count: 20, size: 1_300 });
      expect(round.roundTrips.length, round.text).toBeGreaterThan(NARROW_PINGS);
      for (const way of WAYS) atLeast(`${way}, Mbit/s`, (await lab.tunnel(way)).steadyMbits, NARROW_MBITS);
    } finally {
      lab.topology.ip("inet", ["link set rem mtu 1500"]);
      lab.topology.ip("remote", ["link set eth0 mtu 1500"]);
    }
  });
});

describeLab("a client with the remote portal's address", { links: LINKS, clientHoldsRemoteAddress: true }, (lab) => {
  measured("reaches and is reached through the remote portal's one interface", async () => {
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    await carries(lab, (family) => PLAN[family].remote);
    for (const way of WAYS) {
      const stream = await lab.traffic.stream(PLAN[4].remote, way, 128_000, 1_000);
      expect(stream.received).toBe(stream.sent);
    }
  });
});

describeLab("two links on one subnet", { links: LINKS, hasSharedSubnet: true }, (lab) => {
  measured("leave each by its own interface", async () => {
    await lab.portals.startBoth(usualPlans([0, 1]), 2);
    await lab.tunnel("up", SHORT);
    const { cables } = await lab.topology.counters();
    for (const [up, down] of cables) {
      atLeast("kB up", up.offeredBytes / 1_000, USED_KILOBYTES);
      atLeast("frames down", down.arrived, USED_FRAMES);
    }
    const { links } = await lab.portals.local.snapshot();
    const locals = links.flatMap((link) => link.paths.map((path) => path.local));
    expect(new Set(locals).size).toBe(2);
  });
});
