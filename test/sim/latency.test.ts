import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { Side } from "../support/packets/slots.ts";
import { jainIndex } from "../support/statistics.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE } from "./portal-gateway.ts";
import { addBulk, addUdp, type Bulk, goodput, percentile, seedOr, tunnelWorld } from "./scenarios.ts";
import { Echo, Ping } from "./senders/datagrams.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
/** 20 Mbit/s with a round trip of 10 ms, and of 100 ms. */
const NEAR: Partial<LinkShape> = { rate: 20e6, delay: 5_000, queuePackets: 1_000 };
const FAR: Partial<LinkShape> = { rate: 20e6, delay: 50_000, queuePackets: 1_000 };

/** Pings 20 ms apart in the 8 s that are judged, less those at the edges. */
const PINGS = 8 * 50 - 5;
/** The better link's round trip without load and 5 ms; for the 95th percentile, which CoDel's signals come too late for, 15 ms. */
const MEDIAN_RTT = 10_000 + 5_000;
const WORST_RTT = 10_000 + 15_000;
/** Jain's index of flows of which one has a fifth less than its share each second; of two whose round trips differ by 80 ms. */
const ALIKE = 0.95;
const FAR_AND_NEAR = 0.9;

function loadedWorld(flows: number, from: Side) {
  const world = tunnelWorld([NEAR, FAR], { seed, portal: ADAPTIVE });
  const ping = world.add(0, (outlet) => new Ping(outlet, 9, SECOND / 50, SECOND));
  world.add(1, (outlet) => new Echo(outlet, 9));
  const bulks: Bulk[] = [];
  for (let i = 0; i < flows; i++) bulks.push(addBulk(world, { startAt: SECOND + i * 50_000, port: 5001 + i, from }));
  return { world, ping, bulks };
}

describe(`latency under load (NC_SEED=${seed})`, () => {
  for (const from of [0, 1] as const) {
    for (const flows of [1, 4, 8]) {
      test(`of a ping beside ${flows} transfers ${from === 0 ? "out" : "in"}, which share alike`, () => {
        const { world, ping, bulks } = loadedWorld(flows, from);
        world.run(11 * SECOND);
        const rtts = ping.rtts.filter((_, i) => (ping.sentAt[i] as number) > 3 * SECOND);
        const rates = bulks.map((bulk) => goodput(bulk, 3 * SECOND, 11 * SECOND));
        expect(rtts.length).toBeGreaterThan(PINGS);
        expect(percentile(rtts, 0.5)).toBeLessThan(MEDIAN_RTT);
        if (flows < 8) expect(percentile(rtts, 0.95)).toBeLessThan(WORST_RTT);
        expect(jainIndex(rates)).toBeGreaterThan(ALIKE);
      });
    }
  }

  test("lets a transfer to a far server have its share beside one to a near server", () => {
    const { world, bulks } = loadedWorld(1, 1);
    const far = addBulk(world, { startAt: SECOND, port: 5100, from: 1, distance: 40_000 });
    world.run(16 * SECOND);
    const rates = [bulks[0] as Bulk, far].map((bulk) => goodput(bulk, 6 * SECOND, 16 * SECOND));
    expect(jainIndex(rates)).toBeGreaterThan(FAR_AND_NEAR);
  });

  test("of steady small UDP beside a transfer, in order and without loss", () => {
    const { world } = loadedWorld(1, 0);
    const flow = addUdp(world, { rate: 96_000, size: 240, startAt: SECOND, endAt: 11 * SECOND });
    world.run(12 * SECOND);
    expect([flow.to.numbers.length, flow.to.reordered]).toEqual([flow.from.sent, 0]);
    expect(percentile(flow.to.delays, 0.95)).toBeLessThan(5_000 + 10_000);
  });
});
