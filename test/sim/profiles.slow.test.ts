import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import { directCapacity, effectiveCapacity } from "../support/capacity.ts";
import { sum } from "../support/statistics.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE } from "./portal-gateway.ts";
import { PUBLISHED_PROFILES, type PublishedProfile } from "./profiles.ts";
import { addBulk, goodput, seedOr, tunnelWorld } from "./scenarios.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
/** Bytes that Linux lets a sender keep unacknowledged with its default `tcp_wmem`. */
const SEND_BUFFER = 3_100_000;
/** Less than nine tenths of the capacity: these ask for a window larger than that. */
const LIMITED: Partial<Record<PublishedProfile, number>> = { rtt_320: 0.7, lte_starlink: 0.75, lte_geo: 0.85 };

/** Where luck decides much of a run, as many are judged together; elsewhere one tells. */
const RUNS: Partial<Record<PublishedProfile, number>> = { congested: 8, dual_lte: 3 };

describe(`one flow over unlike links, either way (NC_SEED=${seed})`, () => {
  for (const [name, links] of Object.entries(PUBLISHED_PROFILES)) {
    test(`${name}: takes what they have together, and more than the better has alone`, () => {
      for (const from of [0, 1] as const) {
        const runs = Array.from({ length: RUNS[name as PublishedProfile] ?? 1 }, (_, run) =>
          rateOf(links, from, seed + run),
        );
        const rate = sum(runs) / runs.length;
        expect(rate / (1e6 * effectiveCapacity(links, "none"))).toBeGreaterThan(
          LIMITED[name as PublishedProfile] ?? 0.9,
        );
        // A clean link alone is used to the full by one flow; what jitter and loss make of it is less.
        expect(rate).toBeGreaterThan(0.97e6 * Math.max(...links.map(directCapacity)));
      }
    });
  }
});

/** Returns what one flow gets after its first two seconds, in bit/s. */
function rateOf(links: readonly Partial<LinkShape>[], from: 0 | 1, worldSeed: number): number {
  const world = tunnelWorld(links, { seed: worldSeed, portal: ADAPTIVE });
  const bulk = addBulk(world, { from, startAt: SECOND, tcp: { receiveWindow: SEND_BUFFER } });
  world.run(11 * SECOND);
  return goodput(bulk, 3 * SECOND, 11 * SECOND);
}
