import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { setPort } from "../../src/endpoint.ts";
import type { Slot } from "../../src/memory/packet-pool.ts";
import type { SecurityName } from "../../src/portal/settings.ts";
import { SeededRandom } from "../support/random.ts";
import { deliver, inject, randomRun, settle } from "./chance.ts";
import type { LinkShape } from "./link-model.ts";
import { addressAt, PortalGateway } from "./portal-gateway.ts";
import { addUdp, createPortal, longestGap, lostNumbers, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(2026);
const SECOND = MICROS_PER_SECOND;
const WIDE: Partial<LinkShape> = { rate: 100e6, delay: 5_000 };
const POOL = 8_192;
/** Slots that a link may hold at the end: what an idle tunnel sends is on its way when the run ends. */
const ON_THE_WAY = 4;
/** Share of a flow that arrives over links of chance that settled: those with loss lose up to half. */
const SETTLED_SHARE = 0.5;
/** Datagrams an attacker replays. */
const REPLAYED = 600;

describe(`worlds of chance (NC_SEED=${seed})`, () => {
  const seeds = Array.from({ length: 8 }, (_, i) => seed + i);

  test.each(seeds)("keep every invariant and return every slot, seed %d", (worldSeed) => {
    const world = randomRun(worldSeed);
    expect(settle(world)).toBeGreaterThan(SETTLED_SHARE);
    for (const side of [0, 1] as const)
      expect(world.gateways[side].pool.free).toBeGreaterThanOrEqual(POOL - ON_THE_WAY);
  });

  test("repeat from their seed event for event", () => {
    const [first, second, other] = [seed, seed, seed + 1].map((s) => randomRun(s).trace);
    expect(first).toBe(second as number);
    expect(first).not.toBe(other as number);
  });
});

/** Keeps a copy of every datagram that comes in. */
class Recorder extends PortalGateway {
  readonly record: { readonly link: number; readonly bytes: Uint8Array }[] = [];

  override handleDatagram(now: Micros, link: number, slot: Slot): void {
    const start = this.pool.start[slot] as number;
    const bytes = this.pool.bytes.slice(start, start + (this.pool.length[slot] as number));
    this.record.push({ link, bytes });
    super.handleDatagram(now, link, slot);
  }
}

function recordingWorld(security: SecurityName): { world: World; recorder: Recorder } {
  const options = { seed, portal: { security } };
  const world = tunnelWorld([WIDE, WIDE], options);
  const recorder = new Recorder({ side: 1, links: 2, role: "listen", seed: seed + 99, security });
  world.replace(1, recorder);
  return { world, recorder };
}

describe(`an attacker (NC_SEED=${seed})`, () => {
  test("who replays all that was ever sent moves nothing, before and after a restart", () => {
    const { world, recorder } = recordingWorld("blake2s");
    const flow = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 6 * SECOND });
    world.run(3 * SECOND);
    const replay = (w: World): void => {
      for (const { link, bytes } of recorder.record.slice(0, REPLAYED)) {
        deliver(w, 1, link, (to) => to.set(bytes), bytes.length);
      }
    };
    replay(world);
    world.run(4 * SECOND);
    const { drops } = portalOf(world, 1).portal.snapshot(world.now);
    // All but the exchange, and those few that the first run of the links lost.
    expect(drops["datagram-replayed"]).toBeGreaterThan(REPLAYED - 100);
    const { record } = recorder;
    world.replace(1, createPortal(2, 1, { seed, portal: { security: "blake2s" } }, 1));
    world.run(4.5 * SECOND);
    for (const { link, bytes } of record.slice(0, REPLAYED))
      deliver(world, 1, link, (to) => to.set(bytes), bytes.length);
    world.run(8 * SECOND);
    expect(flow.to.duplicates).toBe(0);
    // Up to the flow's last tenth of a second, after an exchange, and its retry 1 s later if the first is lost among the replays.
    expect(Math.max(...flow.to.sentAt)).toBeGreaterThan(5.9 * SECOND);
    expect(longestGap(flow)).toBeLessThan(2 * SECOND);
  });

  test("who flips any bit or cuts any datagram short gets nothing through", () => {
    const { world, recorder } = recordingWorld("blake2s");
    const flow = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 3 * SECOND });
    const random = new SeededRandom(seed);
    world.run(2 * SECOND);
    const before = portalOf(world, 1).portal.snapshot(world.now).inbound.packets;
    for (const { link, bytes } of recorder.record.slice(0, 400)) {
      deliver(
        world,
        1,
        link,
        (to) => {
          to.set(bytes);
          const at = random.below(bytes.length);
          to[at] = (to[at] as number) ^ (1 << random.below(8));
        },
        bytes.length,
      );
      const shorter = random.below(bytes.length);
      deliver(world, 1, link, (to) => to.set(bytes.subarray(0, shorter)), shorter);
    }
    expect(portalOf(world, 1).portal.snapshot(world.now).inbound.packets).toBe(before);
    world.run(4 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
  });

  test("who sends bytes of chance to a tunnel without security breaks nothing", () => {
    const world = tunnelWorld([WIDE], { seed });
    const flow = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 4 * SECOND });
    const random = new SeededRandom(seed);
    for (let i = 0; i < 20; i++) world.at(SECOND + i * 100_000, (w) => inject(w, random, 0));
    world.run(6 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
  });
});

describe(`an address between NATs (NC_SEED=${seed})`, () => {
  test("that changes is followed without loss", () => {
    const world = tunnelWorld([WIDE], { seed, portal: { security: "blake2s" } });
    const flow = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 5 * SECOND });
    const back = addUdp(world, { rate: 2e6, startAt: SECOND, endAt: 5 * SECOND, from: 1, port: 7002 });
    const moved = addressAt(0, 0, false);
    setPort(moved, 61_000);
    world.at(3 * SECOND, (w) => portalOf(w, 1).setRemote(0, moved));
    world.run(7 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
    expect(lostNumbers(back)).toEqual([]);
    const [link] = portalOf(world, 1).portal.snapshot(world.now).links;
    expect(link?.paths[0]?.remote).toContain("61000");
  });
});
