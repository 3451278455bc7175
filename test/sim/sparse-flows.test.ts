import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, NEVER } from "../../src/clock.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE } from "./portal-gateway.ts";
import { addBulk, addUdp, lostNumbers, percentile, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
const NEAR: Partial<LinkShape> = { rate: 20e6, delay: 5_000, queuePackets: 1_000 };
const FAR: Partial<LinkShape> = { rate: 20e6, delay: 25_000, queuePackets: 1_000 };
/** Share of duplicates that a path of 20 % loss lets through at the least. */
const DUPLICATES_ARRIVED = 0.75;
/** Share of duplicates that come second where both arrive: 0.8, less those whose sending is given up when the first is acknowledged. */
const DUPLICATES_SECOND = 0.6;
/** Time for serving a packet and polling its path, µs. */
const SERVICE = 6_000;
/** Budget of duplicates on a path (`docs/decisions/0022`), and the error of its rate's estimate. */
const DUPLICATE_SHARE = 0.05;
const ESTIMATE_ERROR = 1.1;
/** Lifetime of a realtime packet that waits for its retransmission, µs (`docs/decisions/0021`). */
const REALTIME_LIFETIME = 60_000;
/** EF. */
const REALTIME = 46 << 2;

function snapshot(world: World, side: 0 | 1) {
  return portalOf(world, side).portal.snapshot(world.now);
}

function pathsOf(world: World, side: 0 | 1) {
  return snapshot(world, side).links.flatMap((link) => link.paths);
}

describe(`sparse flows (NC_SEED=${seed})`, () => {
  for (const from of [0, 1] as const) {
    test(`lose nothing while an idle path carries them too, counted at both ends, from side ${from}`, () => {
      const world = tunnelWorld([{ ...NEAR, loss: 0.2 }, FAR], { seed, portal: ADAPTIVE });
      const flow = addUdp(world, { rate: 80_000, size: 200, startAt: 2 * SECOND, endAt: 12 * SECOND, from });
      world.run(13 * SECOND);
      expect(lostNumbers(flow)).toEqual([]);
      expect(flow.to.duplicates).toBe(0);
      // Of the better link, or after it by no more than the other is farther.
      expect(Math.max(...flow.to.delays)).toBeLessThan(25_000 + SERVICE);
      const { duplicated } = snapshot(world, from).resent;
      // All but those of the first second, when the other path's rate is not known yet.
      expect(duplicated).toBeGreaterThan(0.9 * flow.from.sent);
      const [near, far] = pathsOf(world, from).map((path) => path.resent.duplicates) as [number, number];
      expect(near + far).toBe(duplicated);
      const other = snapshot(world, from === 0 ? 1 : 0);
      expect(other.resent.received).toBeGreaterThan(DUPLICATES_ARRIVED * duplicated);
      expect(other.drops["sequence-duplicate"]).toBeGreaterThan(DUPLICATES_SECOND * duplicated);
    });
  }

  test("have no more than a twentieth of a path's rate for it", () => {
    const world = tunnelWorld([NEAR, { ...FAR, rate: 1e6 }], { seed, portal: ADAPTIVE });
    addBulk(world, { startAt: SECOND });
    for (let i = 0; i < 20; i++) {
      addUdp(world, { rate: 100_000, size: 250, startAt: 3 * SECOND, endAt: 13 * SECOND, port: 7100 + i });
    }
    world.run(3 * SECOND);
    const before = pathsOf(world, 0)[1]?.resent.duplicates as number;
    world.run(13 * SECOND);
    const duplicates = (pathsOf(world, 0)[1]?.resent.duplicates as number) - before;
    expect((duplicates * 250 * 8) / 10).toBeLessThan(DUPLICATE_SHARE * ESTIMATE_ERROR * 1e6);
  });

  test("are carried once where the other path is metered", () => {
    const metered = { each: { 1: { limits: { isMetered: true, out: NEVER, in: NEVER } } } };
    const world = tunnelWorld([NEAR, FAR], { seed, portal: ADAPTIVE, sides: [{}, metered] });
    const flow = addUdp(world, { rate: 80_000, size: 200, startAt: 2 * SECOND, endAt: 6 * SECOND });
    world.run(7 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
    expect(snapshot(world, 0).resent.duplicated).toBe(0);
  });

  test("go by the steady path rather than by one that is early but loses much or varies", () => {
    for (const worse of [{ loss: 0.15 }, { jitter: 15_000 }]) {
      const metered = { link: { ...ADAPTIVE.link, limits: { isMetered: true, out: NEVER, in: NEVER } } };
      const world = tunnelWorld(
        [
          { ...NEAR, ...worse },
          { ...NEAR, delay: 9_000 },
        ],
        {
          seed,
          portal: { ...ADAPTIVE, ...metered },
        },
      );
      addBulk(world, { startAt: SECOND });
      const flow = addUdp(world, { rate: 80_000, size: 200, startAt: 4 * SECOND, endAt: 12 * SECOND });
      world.run(13 * SECOND);
      // The steady path's delay, and at most 11 ms of the transfer's queue before it.
      expect(percentile(flow.to.delays, 0.5)).toBeWithin(9_000, 9_000 + 11_000);
      // An eighth of what the worse path would lose: some packets find out what it is like.
      expect(lostNumbers(flow).length).toBeLessThan((0.15 / 8) * flow.from.sent);
    }
  });

  test("that grow to bulk and shrink again stay in order", () => {
    const world = tunnelWorld([NEAR, { ...FAR, delay: 50_000 }], { seed, portal: ADAPTIVE });
    const flows = Array.from({ length: 8 }, (_, i) =>
      addUdp(world, {
        rate: i % 2 === 0 ? 100_000 : 30e6,
        size: i % 2 === 0 ? 250 : 1_200,
        startAt: (2 + i) * SECOND,
        endAt: (2.9 + i) * SECOND,
        port: 7200 + i,
      }),
    );
    world.run(12 * SECOND);
    for (const flow of flows) expect(flow.to.reordered).toBe(0);
  });

  test("of realtime are retransmitted in time or not at all", () => {
    // The only path: what is lost can come again after one round trip at the earliest.
    for (const [delay, isInTime] of [
      [5_000, true],
      [60_000, false],
    ] as const) {
      const world = tunnelWorld([{ ...NEAR, delay, loss: 0.05 }], { seed, portal: ADAPTIVE });
      const flow = addUdp(world, { rate: 400_000, size: 200, startAt: SECOND, endAt: 9 * SECOND, tos: REALTIME });
      world.run(10 * SECOND);
      const share = flow.to.numbers.length / flow.from.sent;
      // 5 % are lost; a retransmission is lost as often, 0.25 %, and one in a hundred comes too late.
      if (isInTime) expect(share).toBeGreaterThan(1 - 0.0025 - 0.0125);
      else expect(share).toBeWithin(0.95 - 0.03, 0.95 + 0.02);
      expect(Math.max(...flow.to.delays)).toBeLessThan(delay + REALTIME_LIFETIME + delay);
    }
  });
});

describe(`a bulk flow that takes marks (NC_SEED=${seed})`, () => {
  test("is marked where it would be dropped, both ways", () => {
    for (const from of [0, 1] as const) {
      const world = tunnelWorld([NEAR], { seed, portal: ADAPTIVE });
      const flow = addUdp(world, { rate: 22e6, size: 1_200, startAt: SECOND, endAt: 4 * SECOND, from, tos: 2 });
      world.run(6 * SECOND);
      // A tenth above the link's rate for 3 s: CoDel signals every 100 ms, and more often as time goes by.
      expect(flow.to.marked).toBeGreaterThan(5);
      expect(flow.to.marked).toBe(snapshot(world, from).aqm.marked);
      expect(snapshot(world, from).aqm.dropped).toBe(0);
    }
  });
});
