import { describe, expect, test } from "bun:test";
import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { TEST_MILLIS } from "../support/limits.ts";
import type { Side } from "../support/packets/slots.ts";
import { SeededRandom } from "../support/random.ts";
import { LateGateway } from "./late-gateway.ts";
import { DEFAULT_SHAPE, type LinkShape } from "./link-model.ts";
import { ADAPTIVE, type PortalOptions } from "./portal-gateway.ts";
import { addBulk, goodput, seedOr } from "./scenarios.ts";
import { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
/** Inner TCP payload of a full datagram, as a share of the 1500 bytes that the link carries for it. */
const EFFICIENCY = 1388 / 1500;
const FULL_DATAGRAM_BITS = 1500 * 8;

function link(rate: number, delay: Micros, queue: Micros): LinkShape {
  const queuePackets = Math.round((rate * queue) / MICROS_PER_SECOND / FULL_DATAGRAM_BITS);
  return { ...DEFAULT_SHAPE, rate, delay, queuePackets };
}

const FIBRE_AND_CABLE = [
  link(30e6, 4 * MICROS_PER_MILLI, 60 * MICROS_PER_MILLI),
  link(50e6, 10 * MICROS_PER_MILLI, 100 * MICROS_PER_MILLI),
];

/** Returns the share of the links' payload that one CUBIC flow gets while every turn of both portals is late by up to twice `lateness`. */
function shareWith(lateness: Micros, from: Side): number {
  const random = new SeededRandom(seed);
  const draw = (): Micros => (lateness === 0 ? 0 : random.uint32() % (2 * lateness));
  const gateway = (side: Side): LateGateway => {
    const role: PortalOptions["role"] = side === 0 ? "initiate" : "listen";
    return new LateGateway({ role, ...ADAPTIVE, side, links: FIBRE_AND_CABLE.length, seed: seed + side }, draw);
  };
  const world = new World({ seed, links: FIBRE_AND_CABLE.map((shape) => ({ out: shape, back: shape })), gateway });
  const bulk = addBulk(world, { from, startAt: SECOND });
  world.run(5 * SECOND);
  const rate = FIBRE_AND_CABLE.reduce((sum, shape) => sum + shape.rate, 0);
  return goodput(bulk, 3 * SECOND, 5 * SECOND) / (rate * EFFICIENCY);
}

describe(`A loop that is late (seed ${seed})`, () => {
  test.each([0.5, 2, 5])(
    "by %d ms on average costs no more than 3 %% of the rate",
    (millis) => {
      for (const from of [0, 1] as const) {
        expect(shareWith(millis * MICROS_PER_MILLI, from)).toBeGreaterThan(0.97 * shareWith(0, from));
      }
    },
    TEST_MILLIS,
  );
});
