/** Tunnels whose keys change all the time. */
import { expect } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import type { SecurityName, TunnelSettings } from "../../src/portal/settings.ts";
import { KEY_LIMITS, type KeyLimits } from "../../src/portal/settings.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";
import type { LinkShape } from "./link-model.ts";
import { addUdp, lostNumbers, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

export const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
const POOL = 8_192;
/** Datagrams overtake each other by up to 4 ms. */
export const UNRULY: Partial<LinkShape> = {
  rate: 100e6,
  delay: 5_000,
  jitter: 2_000,
  jitterLaw: "uniform",
  reorder: true,
};
export const OFTEN: KeyLimits = { ...KEY_LIMITS, rekeyAfter: 30_000, endAfter: 2 * SECOND };
export const PAIR_A = counting(32, 1);
export const PAIR_B = counting(32, 50);

/** Returns a tunnel whose ends have key pairs. */
export function pairedWorld(
  shapes: readonly Partial<LinkShape>[],
  tunnel: Partial<TunnelSettings>,
  security: SecurityName,
) {
  const publicOf = (key: Uint8Array) => new KeyPair(key).publicKey;
  const own = { sharedKey: undefined, ...tunnel };
  return tunnelWorld(shapes, {
    seed,
    portal: { security, scheduling: "greedy", link: { congestion: "rate" } },
    sides: [
      { tunnel: { ...own, privateKey: PAIR_A, peerKey: publicOf(PAIR_B) } },
      { tunnel: { ...own, privateKey: PAIR_B, peerKey: publicOf(PAIR_A) } },
    ],
  });
}

export function epochs(world: World, side: 0 | 1): number[] {
  return portalOf(world, side).portal.paths.map((path) => path.keys.epoch);
}

export function drops(world: World, side: 0 | 1) {
  return portalOf(world, side).portal.snapshot(world.now).drops;
}

/** Sends traffic both ways while the keys change so many times: all of it must arrive, and nothing be refused. */
export function expectNoLoss(changes: number): void {
  const world = pairedWorld([UNRULY], { keyLimits: OFTEN }, "aes-256-gcm");
  const endAt = SECOND + changes * 45_000;
  const flows = ([0, 1] as const).map((from) =>
    addUdp(world, { rate: 1e6, startAt: SECOND, endAt, from, port: 7000 + from }),
  );
  world.run(endAt + 2 * SECOND);
  for (const side of [0, 1] as const) {
    // One change takes the 30 ms of its age and a round trip of 10 to 14: a little less than the 45 that the run has for it.
    expect(epochs(world, side)[0]).toBeGreaterThan(changes);
    expect(drops(world, side)).toEqual({});
    expect(portalOf(world, side).portal.paths).toHaveLength(1);
    expect(world.gateways[side].pool.free).toBe(POOL);
  }
  for (const flow of flows) {
    // 125 packets a second, so that keys change between any few of them.
    expect(flow.from.sent).toBeGreaterThan(4 * changes);
    expect(lostNumbers(flow)).toEqual([]);
  }
}
