import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import { effectiveCapacity } from "../support/capacity.ts";
import type { LinkShape } from "./link-model.ts";
import { DISSERTATION_PROFILES } from "./profiles.ts";
import {
  addBulk,
  addPingPong,
  addUdp,
  dissertation,
  goodput,
  longestGap,
  lostNumbers,
  seedOr,
  tunnelWorld,
} from "./scenarios.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
/** The dissertation's link: 16 Mbit/s, 10 ms round trip. */
const LINK: Partial<LinkShape> = { rate: 16e6, delay: 5_000, queuePackets: 100 };

/** Multiples of one link's rate that a flow has at the least over two and four with New Reno, which halves its window at a full queue. */
const GAIN = [1.5, 2.8] as const;
/** Share of what links carry together: the same halving, and slow start in the first seconds. */
const FULL_SHARE = 0.8;
/** Time in which a silent path is suspected (50 ms, a round trip and the queue of 75 ms before it) and what it had is retransmitted, µs. */
const NOTICED = 250_000;
/** Packets a second of a flow of 1 Mbit/s in datagrams of 1000 bytes. */
const PER_SECOND = 125;
/** Twice what the simulated TCP takes to time out for the first time: Linux's least timeout (TCP_RTO_MIN) and a round trip, µs. */
const TWO_TIMEOUTS = 450_000;
/** Time of a request and its answer over a link, with two fifths more for queues, µs. */
const ROUND = 14_000;

describe(`TCP over the dissertation's system (NC_SEED=${seed})`, () => {
  test("make TCP faster over two and four equal links, either way", () => {
    for (const from of [0, 1] as const) {
      const rates = [1, 2, 4].map((count) => {
        const world = tunnelWorld(
          Array.from({ length: count }, () => LINK),
          dissertation({ seed }),
        );
        const bulk = addBulk(world, { startAt: SECOND, from });
        world.run(6 * SECOND);
        return goodput(bulk, 2 * SECOND, 6 * SECOND);
      }) as [number, number, number];
      expect(rates[1] / rates[0]).toBeGreaterThan(GAIN[0]);
      expect(rates[2] / rates[0]).toBeGreaterThan(GAIN[1]);
    }
  });

  test("takes most of what equal links have together, at its own rates", () => {
    for (const name of ["2x8", "2x16", "3x16", "4x16"] as const) {
      const links = DISSERTATION_PROFILES[name];
      const world = tunnelWorld(links, dissertation({ seed }));
      const bulk = addBulk(world, { startAt: SECOND });
      world.run(9 * SECOND);
      expect(goodput(bulk, 3 * SECOND, 9 * SECOND) / (1e6 * effectiveCapacity(links, "none"))).toBeGreaterThan(
        FULL_SHARE,
      );
    }
  });
});

describe(`a cut link (NC_SEED=${seed})`, () => {
  const ways: readonly (readonly [name: string, sides: readonly (0 | 1)[]])[] = [
    ["both ways", [0, 1]],
    ["outbound", [0]],
    ["inbound", [1]],
  ];
  test.each(ways)("%s costs little UDP, no TCP timeout, and is used again when it returns", (_, sides) => {
    for (const link of [0, 1]) {
      const world = tunnelWorld([LINK, LINK], dissertation({ seed }));
      const flow = addUdp(world, { rate: 1e6, startAt: SECOND, endAt: 12 * SECOND });
      const bulk = addBulk(world, { startAt: SECOND });
      world.at(4 * SECOND, (w) => w.cut(link, sides));
      world.at(7 * SECOND, (w) => w.uncut(link, sides));
      world.run(13 * SECOND);
      const around = lostNumbers(flow).filter(
        (n) => SECOND + n * 8_000 > 3.8 * SECOND && SECOND + n * 8_000 < 4.5 * SECOND,
      );
      // Of the packets on that link, which is one of two, and no more than as many again that its queue held.
      expect(around.length).toBeLessThan((PER_SECOND * NOTICED) / SECOND - PER_SECOND * 0.05);
      expect(longestGap(flow)).toBeLessThan(NOTICED);
      expect(bulk.from.sender.timeouts).toBe(0);
      expect(goodput(bulk, 5 * SECOND, 7 * SECOND)).toBeGreaterThan(0.7 * 16e6);
      // Two seconds after its return the link is used again: more than the other alone can carry.
      expect(goodput(bulk, 9 * SECOND, 12 * SECOND)).toBeGreaterThan(1.2 * 16e6);
    }
  });

  test("interrupts TCP ping/pong for less than two timeouts, at any phase", () => {
    for (const phase of [0, 1, 2, 3, 4, 5, 6, 7]) {
      for (const link of [0, 1]) {
        const world = tunnelWorld([LINK, LINK], dissertation({ seed }));
        const pingPong = addPingPong(world, SECOND);
        world.at(4 * SECOND + phase * 1_300, (w) => w.cut(link));
        world.run(7 * SECOND);
        expect(pingPong.rtts.length).toBeGreaterThan((6 * SECOND - TWO_TIMEOUTS) / ROUND);
        expect(pingPong.longestGap).toBeLessThan(TWO_TIMEOUTS);
      }
    }
  });
});
