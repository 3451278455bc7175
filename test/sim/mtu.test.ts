// Paths that carry less than Ethernet does, and say nothing of it.
import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { PathSnapshot } from "../../src/portal/snapshot.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE } from "./portal-gateway.ts";
import {
  addBulk,
  addPingPong,
  addUdp,
  goodput,
  longestGap,
  lostNumbers,
  portalOf,
  seedOr,
  tunnelWorld,
} from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
const LINK: Partial<LinkShape> = { rate: 16e6, delay: 10_000, queueTime: 50_000 };
/** IPv4 and UDP. */
const HEADERS = 28;
const POOL = 8_192;
/** Goodput of the link's rate: a tenth is headers, and more where datagrams are small. */
const FULL_SHARE = 0.85;
const SMALL_SHARE = 0.75;
/** The same in the seconds after a change, which begin with what it cost; and of two links of which both lose 2 %. */
const CHANGED_SHARE = 0.8;
const LOSSY_SHARE = 0.6;
/** The link's delay, the time of a packet's two fragments on it (2 ms) and of the queue they meet, µs. */
const FRAGMENTED_DELAY = 20_000;
/** Tenths of a second until the transfer moves again: suspicion, a search that begins at the base, and a round trip of 70 ms with the queue. */
const PAUSE_TENTHS = 5;

function worldOf(...mtus: number[]): World {
  const shapes = mtus.map((mtu) => ({ ...LINK, mtu }));
  return tunnelWorld(shapes, { seed, portal: ADAPTIVE });
}

function pathOf(world: World, side: 0 | 1, link = 0): PathSnapshot {
  const snapshot = portalOf(world, side).portal.snapshot(world.now);
  return snapshot.links[link]?.paths[0] as PathSnapshot;
}

function expectAllSlotsFree(world: World): void {
  for (const side of [0, 1] as const) expect(world.gateways[side].pool.free).toBe(POOL);
}

describe(`path MTU (NC_SEED=${seed})`, () => {
  test("is Ethernet's within three round trips where nothing is in the way", () => {
    const world = worldOf(1_500);
    world.run(4 * 20_000);
    for (const side of [0, 1] as const) {
      expect([pathOf(world, side).mtu, pathOf(world, side).mtuState]).toEqual([1_500 - HEADERS, "found"]);
    }
  });

  test.each([1_492, 1_428, 1_420, 1_280, 1_228])("of %d is found exactly in both directions", (mtu) => {
    const world = worldOf(mtu);
    world.run(3 * SECOND);
    for (const side of [0, 1] as const) {
      expect([pathOf(world, side).mtu, pathOf(world, side).mtuState]).toEqual([mtu - HEADERS, "found"]);
    }
  });

  test("is found for each direction by itself, and its probes are no losses", () => {
    const world = worldOf(1_500);
    world.change(0, { mtu: 1_400 }, [0]);
    world.run(3 * SECOND);
    expect(pathOf(world, 0).mtu).toBe(1_400 - HEADERS);
    expect(pathOf(world, 1).mtu).toBe(1_500 - HEADERS);
    for (const side of [0, 1] as const) {
      expect([pathOf(world, side).lost, pathOf(world, side).inFlight]).toEqual([0, 0]);
      expect(pathOf(world, side).reason).toBe("exchange done");
    }
  });

  for (const [mtu, from] of [
    [1_428, 1],
    [1_280, 0],
    [1_000, 1],
    [600, 0],
  ] as const)
    test(`of ${mtu} lets TCP pass at the link's speed, from side ${from}`, () => {
      const world = worldOf(mtu);
      const bulk = addBulk(world, { from, startAt: SECOND });
      world.run(6 * SECOND);
      expect(pathOf(world, from).mtu).toBe(mtu - HEADERS);
      const least = mtu >= 1_280 ? FULL_SHARE : SMALL_SHARE;
      expect(goodput(bulk, 3 * SECOND, 6 * SECOND)).toBeGreaterThan(least * 16e6);
    });

  for (const [what, metric, isWhole] of [
    ["in use", 0, true],
    ["in reserve", 1, false],
  ] as const)
    test(`of a narrow link ${what} ${isWhole ? "limits" : "does not limit"} the segments of TCP that begins`, () => {
      const shapes = [LINK, { ...LINK, mtu: 1_400 }];
      const world = tunnelWorld(shapes, { seed, portal: { ...ADAPTIVE, each: { 1: { metric } } } });
      const bulk = addBulk(world, { startAt: 2 * SECOND });
      world.run(4 * SECOND);
      expect(portalOf(world, 0).portal.snapshot(world.now).fragments.sent).toBe(0);
      // 28 of the network's headers, 14 of ours, 20 of IPv4 and 20 of TCP.
      expect(bulk.from.sender.segmentSize).toBe((isWhole ? 1_400 - HEADERS - 14 : 1_400) - 40 - 12);
    });

  test("is not waited for: packets pass in fragments from the first moment", () => {
    const world = worldOf(1_300);
    const flow = addUdp(world, { rate: 2e6, size: 1_400, startAt: 50_000, endAt: 3 * SECOND });
    world.run(4 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
    expect(flow.to.duplicates).toBe(0);
    expect(Math.max(...flow.to.delays)).toBeLessThan(FRAGMENTED_DELAY);
    expect(portalOf(world, 0).portal.snapshot(world.now).fragments.sent).toBe(flow.from.sent);
    expectAllSlotsFree(world);
  });

  test("loses a packet whose fragment is lost only until it is retransmitted", () => {
    const world = worldOf(1_300, 1_300);
    for (const link of [0, 1]) world.change(link, { loss: 0.02 });
    // Before the path's MTU is known, so that segments are not clamped to it.
    const bulk = addBulk(world, { startAt: SECOND / 2 });
    world.run(5 * SECOND);
    const { resent, fragments } = portalOf(world, 0).portal.snapshot(world.now);
    // 4.5 s at over 6 Mbit/s; of the fragments 2 % are lost, which is 40 of 2,000 and more.
    expect(fragments.sent).toBeGreaterThan(2_000);
    expect(resent.retransmitted).toBeGreaterThan(50);
    expect(goodput(bulk, 3 * SECOND, 5 * SECOND)).toBeGreaterThan(LOSSY_SHARE * 32e6);
  });

  test("of one narrow link among wide ones costs the sum little", () => {
    const world = worldOf(1_500, 1_400);
    const bulk = addBulk(world, { startAt: SECOND });
    world.run(8 * SECOND);
    expect(goodput(bulk, 3 * SECOND, 8 * SECOND)).toBeGreaterThan(FULL_SHARE * 32e6);
  });

  for (const from of [0, 1] as const)
    test(`that shrinks under a transfer is noticed, and the transfer goes on, from side ${from}`, () => {
      const world = worldOf(1_500);
      const bulk = addBulk(world, { from, startAt: SECOND });
      world.at(4 * SECOND, (w) => w.change(0, { mtu: 1_300 }));
      world.run(8 * SECOND);
      const pause = bulk.series.slice(41, 60).findIndex((bytes) => bytes > (bulk.series[40] as number) + 100_000);
      expect(pause).toBeWithin(0, PAUSE_TENTHS);
      expect(pathOf(world, from).mtu).toBe(1_300 - HEADERS);
      expect(goodput(bulk, 5 * SECOND, 8 * SECOND)).toBeGreaterThan(CHANGED_SHARE * 16e6);
    });

  test("that shrinks on one of two links lets a ping/pong and a transfer go on", () => {
    const world = worldOf(1_500, 1_500);
    const pongs = addPingPong(world, SECOND);
    const bulk = addBulk(world, { startAt: SECOND });
    world.at(4 * SECOND, (w) => w.change(0, { mtu: 1_280 }));
    world.run(9 * SECOND);
    // Less than Linux's least retransmission timeout and a round trip: TCP does not notice.
    expect(pongs.longestGap).toBeLessThan(SECOND / 4);
    expect(goodput(bulk, 6 * SECOND, 9 * SECOND)).toBeGreaterThan(CHANGED_SHARE * 32e6);
    expect(pathOf(world, 0, 0).mtu).toBe(1_280 - HEADERS);
    expect(pathOf(world, 0, 1).mtu).toBe(1_500 - HEADERS);
  });

  test("that grows later is found by itself", () => {
    const world = worldOf(1_400);
    world.run(5 * SECOND);
    expect(pathOf(world, 0).mtu).toBe(1_400 - HEADERS);
    world.change(0, { mtu: 1_500 });
    world.run(30 * SECOND);
    expect(pathOf(world, 0).mtu).toBe(1_500 - HEADERS);
  });

  test("is the base again after an outage at most for a moment", () => {
    const world = worldOf(1_500);
    const flow = addUdp(world, { rate: 8e6, size: 1_400, startAt: SECOND, endAt: 8 * SECOND });
    world.at(3 * SECOND, (w) => w.cut(0));
    world.at(5 * SECOND, (w) => w.uncut(0));
    world.run(9 * SECOND);
    expect(pathOf(world, 0).mtu).toBe(1_500 - HEADERS);
    // The outage of 2 s, the wait until the next probe of a suspect path (half a second), and round trips.
    expect(longestGap(flow)).toBeLessThan(2.6 * SECOND);
  });
});
