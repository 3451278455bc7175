import { describe, expect, test } from "bun:test";
import { randomRun, settle } from "./chance.ts";
import { seedOr } from "./scenarios.ts";

const seed = seedOr(100_000);
const WORLDS = 60;
const POOL = 8_192;

describe(`many worlds of chance (NC_SEED=${seed})`, () => {
  test("keep every invariant, return every slot and work again in the end", () => {
    for (let worldSeed = seed; worldSeed < seed + WORLDS; worldSeed++) {
      const world = randomRun(worldSeed);
      const outcome = {
        worldSeed,
        arrived: settle(world) > 0.5,
        free: world.gateways.map((side) => side.pool.free > POOL - 4),
      };
      expect(outcome).toEqual({ worldSeed, arrived: true, free: [true, true] });
    }
  }, 60_000);
});
