import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, NEVER } from "../../src/clock.ts";
import { NO_LIMITS } from "../../src/path/limits.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE, DISSERTATION } from "./portal-gateway.ts";
import { addBulk, addPingPong, goodput, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
const LINK: Partial<LinkShape> = { rate: 50e6, delay: 10_000, queuePackets: 1_000 };
const MBIT = 1e6 / 8;
/** IPv4 and UDP, as the simulated links carry it. */
const HEADERS = 28;

/**
 * Bytes beyond the limit in a second that is looked at every 10 ms: what those 10 ms and the burst of 2 carry at 20 Mbit/s, 30 kB,
 * and the control messages, which no limit holds back.
 */
const BEYOND = 45_000;
/** Share of a limit that a path of New Reno uses at the least, whose window may be at half. */
const USED_SHARE = 0.8;
/** Goodput of rate: a tenth is headers; New Reno takes another fifth. */
const DISSERTATION_SHARE = 0.7;
const ADAPTIVE_SHARE = 0.85;
/** A metered path says per end: limits, challenges, a keepalive in 10 s, probes of its MTU after the change, acknowledgements of each. */
const METERED_DATAGRAMS = 30;

function paths(world: World, side: 0 | 1) {
  return portalOf(world, side)
    .portal.snapshot(world.now)
    .links.flatMap((link) => link.paths);
}

/** Returns the most IP bytes a side sent on a link in any second, looking every 10 ms. */
function watchMost(world: World, side: 0 | 1, link: number): () => number {
  const totals: number[] = [];
  world.every(SECOND / 100, (w) => {
    const path = paths(w, side)[link];
    totals.push(path ? path.sent.bytes + HEADERS * path.sent.packets : 0);
  });
  return () => Math.max(...totals.slice(100).map((total, i) => total - (totals[i] as number)));
}

describe(`limits of a link (NC_SEED=${seed})`, () => {
  for (const [name, way] of [
    ["adaptive", ADAPTIVE],
    ["the dissertation's", DISSERTATION],
  ] as const) {
    test(`hold both ways though only the initiator was told, ${name}`, () => {
      const limits = { isMetered: false, out: 5 * MBIT, in: 20 * MBIT };
      for (const from of [0, 1] as const) {
        const world = tunnelWorld([LINK, { ...LINK, delay: 20_000 }], {
          seed,
          portal: way,
          sides: [{ each: { 0: { limits } } }, {}],
        });
        const bulk = addBulk(world, { startAt: SECOND, from });
        const most = watchMost(world, from, 0);
        world.run(6 * SECOND);
        const limit = from === 0 ? limits.out : limits.in;
        expect(most()).toBeLessThan(limit + BEYOND);
        expect(most()).toBeGreaterThan(USED_SHARE * limit);
        expect(goodput(bulk, 3 * SECOND, 6 * SECOND)).toBeGreaterThan(DISSERTATION_SHARE * (45e6 + limit * 8));
      }
    });
  }

  test("are known to the scheduler: a transfer has the other link and what the limit leaves", () => {
    const limits = { ...NO_LIMITS, out: 10 * MBIT };
    const world = tunnelWorld([LINK, LINK], { seed, portal: ADAPTIVE, sides: [{ each: { 0: { limits } } }, {}] });
    const bulk = addBulk(world, { startAt: SECOND });
    world.run(9 * SECOND);
    expect(paths(world, 0)[0]?.limits).toEqual({ metered: false, out: 10 * MBIT, in: 0 });
    expect(goodput(bulk, 3 * SECOND, 9 * SECOND)).toBeGreaterThan(ADAPTIVE_SHARE * 60e6);
  });

  test("metered on either end carry no reinjections and no more keepalives than needed, either way", () => {
    for (const side of [0, 1] as const) {
      const metered = { each: { 1: { limits: { isMetered: true, out: NEVER, in: NEVER } } } };
      const world = tunnelWorld([{ ...LINK, loss: 0.05 }, LINK, LINK], {
        seed,
        portal: ADAPTIVE,
        sides: side === 0 ? [metered, {}] : [{}, metered],
      });
      const talk = addPingPong(world, 2 * SECOND);
      world.run(2 * SECOND);
      const before = ([0, 1] as const).map((end) => paths(world, end)[1]?.sent.packets as number);
      world.change(1, { delay: 60_000 });
      world.run(20 * SECOND);
      // 18 s of round trips of 20 ms, a half of them once retransmitted.
      expect(talk.rtts.length).toBeGreaterThan(500);
      for (const end of [0, 1] as const) {
        expect(paths(world, end)[1]?.limits.metered).toBe(true);
        expect((paths(world, end)[1]?.sent.packets as number) - (before[end] as number)).toBeLessThan(
          METERED_DATAGRAMS,
        );
      }
    }
  });
});
