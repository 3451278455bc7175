import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { DROP } from "../../src/drops.ts";
import type { LinkShape } from "./link-model.ts";
import { addressAt } from "./portal-gateway.ts";
import {
  addBulk,
  addUdp,
  createPortal,
  dissertation,
  goodput,
  longestGap,
  lostNumbers,
  percentile,
  portalOf,
  seedOr,
  tunnelWorld,
} from "./scenarios.ts";
import { Echo, Ping } from "./senders/datagrams.ts";
import type { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
/** The dissertation's link: 16 Mbit/s, 10 ms round trip. */
const LINK: Partial<LinkShape> = { rate: 16e6, delay: 5_000, queuePackets: 100 };
/** A link that never holds up what the tests send. */
const WIDE: Partial<LinkShape> = { rate: 100e6, delay: 5_000 };
const POOL = 8_192;
/** Round trip over a `WIDE` link, and what serving two small packets at each of four hops may add, µs. */
const ROUND_TRIP = 10_000;
const SERVICE = 200;
/** Time in which a silent path is suspected (50 ms and a round trip) and what it had is retransmitted, twice over, µs. */
const NOTICED = 200_000;
/** Datagrams a standby path has sent in two seconds: confirmation, challenge, limits, probes of its MTU, and acknowledgements of the peer's. */
const STANDBY_DATAGRAMS = 12;
/** The same where the path that takes over was standing by, and is told to the peer first, µs. */
const TAKEN_OVER = 250_000;
/** Share of a flow at nine tenths of the links' rate that overflows their queues while New Reno looks for its first window. */
const START_LOSS = 0.01;
/** The same of two flows of opposite directions over three links, whose acknowledgements compete with them. */
const CROWDED_START_LOSS = 0.02;

function drops(world: World, side: 0 | 1, reason: keyof typeof DROP): number {
  return portalOf(world, side).portal.snapshot(world.now).drops[reason] ?? 0;
}

function paths(world: World, side: 0 | 1) {
  return portalOf(world, side)
    .portal.snapshot(world.now)
    .links.flatMap((link) => link.paths);
}

function expectAllSlotsFree(world: World): void {
  for (const side of [0, 1] as const) expect(world.gateways[side].pool.free).toBe(POOL);
}

describe(`two portals (NC_SEED=${seed})`, () => {
  test("come up over every link within two round trips and answer pings at the link's delay", () => {
    const world = tunnelWorld([WIDE, { ...WIDE, delay: 40_000 }], dissertation({ seed }));
    const ping = world.add(0, (outlet) => new Ping(outlet, 9, SECOND / 10, SECOND));
    world.add(1, (outlet) => new Echo(outlet, 9));
    world.run(200_000);
    for (const side of [0, 1] as const) expect(paths(world, side).map((path) => path.state)).toEqual(["up", "up"]);
    world.run(3 * SECOND);
    expect(ping.rtts.length).toBe(20);
    expect(Math.min(...ping.rtts)).toBeWithin(ROUND_TRIP, ROUND_TRIP + SERVICE);
  });

  test("carry UDP over two equal links at about their sum", () => {
    for (const from of [0, 1] as const) {
      const world = tunnelWorld([LINK, LINK], dissertation({ seed }));
      const flow = addUdp(world, { rate: 28e6, startAt: SECOND, endAt: 6 * SECOND, from });
      world.run(8 * SECOND);
      expect(lostNumbers(flow).length).toBeLessThan(START_LOSS * flow.from.sent);
      const sent = paths(world, from).map((path) => path.sent.packets);
      // Equal links pull alike; a window in recovery may be at half for a tenth of the time.
      expect(Math.min(...sent) / Math.max(...sent)).toBeGreaterThan(0.8);
      expectAllSlotsFree(world);
    }
  });

  test("lose of a UDP flow exactly the datagrams the link loses, and count them", () => {
    const lose = [100, 101, 102, 250, 400];
    const world = tunnelWorld([{ ...WIDE, lose }], dissertation({ seed }));
    const flow = addUdp(world, { rate: 4e6, startAt: SECOND / 2, endAt: 2 * SECOND });
    world.run(4 * SECOND);
    expect(lostNumbers(flow).length).toBe(lose.length);
    expect(paths(world, 0)[0]?.lost).toBe(lose.length);
    expect(flow.to.reordered).toBe(0);
    expectAllSlotsFree(world);
  });

  test("go on over the other link when one connection ends after n datagrams", () => {
    for (const side of [0, 1] as const) {
      const ending = { ...WIDE, endAfter: 300 };
      const world = tunnelWorld([WIDE, ending], dissertation({ seed }));
      const flow = addUdp(world, { rate: 8e6, startAt: SECOND / 2, endAt: 4 * SECOND, from: side });
      world.run(6 * SECOND);
      // Half of the flow took that link until it was noticed; the flow lasts 3.5 s.
      expect(flow.to.numbers.length / flow.from.sent).toBeGreaterThan(1 - NOTICED / 2 / (3.5 * SECOND) - START_LOSS);
      expect(longestGap(flow)).toBeLessThan(NOTICED);
      expect(paths(world, side).map((path) => path.state)).not.toEqual(["up", "up"]);
    }
  });

  test("start in any order, and with no link up", () => {
    for (const sides of [
      [{ startAt: 3 * SECOND }, {}],
      [{}, { startAt: 3 * SECOND }],
    ] as const) {
      const world = tunnelWorld([WIDE, WIDE], dissertation({ seed, sides }));
      world.cut(0);
      world.cut(1);
      world.at(5 * SECOND, (w) => w.uncut(1));
      world.at(9 * SECOND, (w) => w.uncut(0));
      const flow = addUdp(world, { rate: 1e6, startAt: 0, endAt: 18 * SECOND });
      world.run(8 * SECOND);
      // Packets of the last tenth of a second have arrived: the link came back 3 s ago.
      expect(Math.max(...flow.to.sentAt)).toBeGreaterThan(7.9 * SECOND);
      world.run(20 * SECOND);
      expect(paths(world, 0).map((path) => path.state)).toEqual(["up", "up"]);
    }
  });

  test("recover from a restart of either within a second, and accept nothing of before", () => {
    for (const side of [0, 1] as const) {
      for (const security of ["none", "blake2s", "auto"] as const) {
        const options = dissertation({ seed, portal: { security } });
        const world = tunnelWorld([WIDE, WIDE], options);
        const flow = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 9 * SECOND });
        const back = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 9 * SECOND, from: 1, port: 7002 });
        world.at(5 * SECOND, (w) => w.replace(side, createPortal(2, side, options, 1)));
        world.run(10 * SECOND);
        for (const one of [flow, back]) {
          expect(longestGap(one)).toBeLessThan(SECOND);
          // Up to the flow's last tenth of a second.
          expect(Math.max(...one.to.sentAt)).toBeGreaterThan(8.9 * SECOND);
          expect(one.to.duplicates).toBe(0);
        }
      }
    }
  });

  test("are not taken back to a former run by a datagram of it that comes late", () => {
    // The first run's confirmation is still on the slow link when the second run is up on the fast one.
    for (const knewFirstRun of [true, false]) {
      const world = tunnelWorld(
        [
          { ...WIDE, delay: 110_000 },
          { ...WIDE, delay: 2_000 },
        ],
        dissertation({ seed }),
      );
      if (!knewFirstRun) world.cut(1);
      world.at(222_000, (w) => {
        w.uncut(1);
        w.replace(0, createPortal(2, 0, dissertation({ seed }), 1));
      });
      const flow = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 5 * SECOND });
      world.run(6 * SECOND);
      expect(lostNumbers(flow)).toEqual([]);
    }
  });

  test("find each other again when each initiates a link and a late answer of a former run comes", () => {
    const sides = [{ each: { 1: { role: "listen" } } }, { each: { 1: { role: "initiate" } } }] as const;
    for (const knewFirstRun of [true, false]) {
      const options = dissertation({ seed, sides });
      const world = tunnelWorld(
        [
          { ...WIDE, delay: 110_000 },
          { ...WIDE, delay: 2_000 },
        ],
        options,
      );
      if (!knewFirstRun) world.cut(1);
      // The answer to the first side's initiation is on the slow link when the second side starts anew.
      world.at(150_000, (w) => {
        w.uncut(1);
        w.replace(1, createPortal(2, 1, options, 1));
      });
      const flow = addUdp(world, { rate: 1e6, startAt: 3 * SECOND, endAt: 6 * SECOND });
      world.run(8 * SECOND);
      expect(lostNumbers(flow)).toEqual([]);
      for (const end of [0, 1] as const) expect(paths(world, end).map((path) => path.state)).toEqual(["up", "up"]);
    }
  });

  test("drop what the network repeats, and count it", () => {
    for (const security of ["none", "blake2s"] as const) {
      const world = tunnelWorld([{ ...WIDE, duplicate: 1 }], dissertation({ seed, portal: { security } }));
      const flow = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 3 * SECOND });
      world.run(5 * SECOND);
      expect(lostNumbers(flow)).toEqual([]);
      expect(flow.to.duplicates).toBe(0);
      expect(drops(world, 1, "datagram-replayed")).toBeGreaterThanOrEqual(flow.from.sent);
      expectAllSlotsFree(world);
    }
  });

  test("carry packets only over the lowest metric that is up", () => {
    const each = { 0: { metric: 20 }, 1: { metric: 5 } };
    const world = tunnelWorld([WIDE, WIDE], dissertation({ seed, sides: [{ each }, {}] }));
    const flow = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 12 * SECOND });
    const sent = (): number[] => paths(world, 0).map((path) => path.sent.packets);
    const standby = (side: 0 | 1): boolean[] => paths(world, side).map((path) => path.standby);
    world.run(3 * SECOND);
    expect(standby(0)).toEqual([true, false]);
    expect(standby(1)).toEqual([true, false]);
    expect(sent()[0]).toBeLessThan(STANDBY_DATAGRAMS);
    world.cut(1);
    world.run(6 * SECOND);
    // 250 packets a second for 3 s, less what was lost until the cut was noticed.
    expect(sent()[0]).toBeGreaterThan(250 * (3 - 1));
    const backup = sent()[0] as number;
    world.uncut(1);
    world.run(9 * SECOND);
    // Until a probe, at most half a second after the one before, finds the better link again.
    expect(sent()[0]).toBeLessThan(backup + 250 * 0.6);
    world.run(14 * SECOND);
    // What was sent until the cut was noticed.
    expect(lostNumbers(flow).length).toBeLessThan((250 * TAKEN_OVER) / SECOND);
    expect(longestGap(flow)).toBeLessThan(TAKEN_OVER);
  });

  test("serve many links from one listening socket", () => {
    const world = tunnelWorld([LINK, LINK, LINK], dissertation({ seed, sides: [{}, { isSingle: true }] }));
    for (let link = 0; link < 3; link++) portalOf(world, 0).setRemote(link, addressAt(1, link, true));
    const flows = ([0, 1] as const).map((from) =>
      addUdp(world, { rate: 40e6, startAt: SECOND, endAt: 4 * SECOND, from, port: 7001 + from }),
    );
    world.run(6 * SECOND);
    expect(paths(world, 1).length).toBe(3);
    for (const flow of flows) expect(lostNumbers(flow).length).toBeLessThan(CROWDED_START_LOSS * flow.from.sent);
  });

  test("take links in and out while they run", () => {
    const world = tunnelWorld([WIDE, WIDE], dissertation({ seed }));
    const flow = addUdp(world, { rate: 4e6, startAt: SECOND, endAt: 9 * SECOND });
    world.at(3 * SECOND, (w) => {
      portalOf(w, 0).removeLink(w.now, 0);
      w.touch(0);
    });
    world.at(6 * SECOND, (w) => {
      portalOf(w, 0).addLink(w.now, 0);
      w.touch(0);
    });
    world.run(5 * SECOND);
    for (const side of [0, 1] as const) expect(paths(world, side).length).toBe(1);
    world.run(10 * SECOND);
    for (const side of [0, 1] as const) expect(paths(world, side).length).toBe(2);
    // 500 packets a second, half of them on that link, 5 ms long, when each end lets go of it.
    expect(lostNumbers(flow).length).toBeLessThan(10);
  });

  test("tell each other when one shuts down", () => {
    const world = tunnelWorld([WIDE, WIDE], dissertation({ seed }));
    world.at(2 * SECOND, (w) => {
      portalOf(w, 1).close(w.now);
      w.touch(1);
    });
    world.run(2.02 * SECOND);
    expect(paths(world, 0).length).toBe(0);
  });

  test("carry IPv6, and a TCP flow with its segment size clamped to the tunnel", () => {
    const world = tunnelWorld([LINK], dissertation({ seed }));
    const bulk = addBulk(world, { startAt: SECOND, tcp: { family: 6 } });
    world.run(4 * SECOND);
    expect(bulk.from.sender.segmentSize).toBe(1400 - 40 - 20 - 12);
    // 16 Mbit/s less a tenth of headers; New Reno halves its window once or twice in that time.
    expect(goodput(bulk, 2 * SECOND, 4 * SECOND)).toBeGreaterThan(0.9 * 0.9 * 16e6);
  });
});

describe(`a cut link (NC_SEED=${seed})`, () => {
  test("is not felt by a sparse flow whose packets go elsewhere at once", () => {
    const world = tunnelWorld([WIDE, WIDE], dissertation({ seed }));
    const flow = addUdp(world, { rate: 64_000, size: 200, startAt: SECOND, endAt: 10 * SECOND });
    world.at(5 * SECOND, (w) => w.cut(0));
    world.run(11 * SECOND);
    // 40 packets a second, until the cut was noticed.
    expect(lostNumbers(flow).length).toBeLessThan((40 * NOTICED) / SECOND + 2);
    // The link's delay and the time of a packet on it: none waits.
    expect(percentile(flow.to.delays, 0.99)).toBeLessThan(ROUND_TRIP / 2 + 1_000);
  });
});
