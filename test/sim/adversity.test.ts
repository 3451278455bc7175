import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { setPort } from "../../src/endpoint.ts";
import { NO_SLOT, type Slot } from "../../src/memory/packet-pool.ts";
import { SeededRandom } from "../../src/random.ts";
import type { LinkShape } from "./link-model.ts";
import { addressAt, PortalGateway } from "./portal-gateway.ts";
import { addBulk, addUdp, createPortal, longestGap, lostNumbers, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(2026);
const SECOND = MICROS_PER_SECOND;
const WIDE: Partial<LinkShape> = { rate: 100e6, delay: 5_000 };
const POOL = 8_192;

/** A link with everything that can be wrong with one. */
function randomShape(random: SeededRandom): Partial<LinkShape> {
  const often = (value: number): number => (random.chance(0.5) ? value : 0);
  return {
    rate: (1 + random.below(60)) * 1e6,
    delay: 1_000 + random.below(150_000),
    jitter: often(random.below(30_000)),
    jitterLaw: random.chance(0.5) ? "normal" : "uniform",
    reorder: random.chance(0.5),
    loss: often(random.unit() * 0.1),
    bursts: random.chance(0.3) ? { goodToBad: 0.01, badToGood: 0.2, lossWhenGood: 0, lossWhenBad: 0.8 } : undefined,
    duplicate: often(random.unit() * 0.2),
    queuePackets: 10 + random.below(1000),
    slots: random.chance(0.2) ? { interval: 5_000, packets: 20 } : undefined,
    policer: random.chance(0.2) ? { rate: 8e6, burst: 60_000 } : undefined,
  };
}

/** Cuts, changes of shape and restarts at random times. */
function randomMishaps(world: World, random: SeededRandom, until: Micros, links: number, worldSeed: number): void {
  for (let i = 0; i < 6; i++) {
    const at = SECOND + random.below(until - SECOND);
    const link = random.below(links);
    const kind = random.below(4);
    if (kind === 0) {
      world.at(at, (w) => w.cut(link, random.chance(0.5) ? [0, 1] : [0]));
      world.at(at + random.below(2 * SECOND), (w) => w.uncut(link));
    } else if (kind === 1) world.at(at, (w) => w.change(link, randomShape(random)));
    else if (kind === 2) {
      const side = random.below(2) as 0 | 1;
      world.at(at, (w) => w.replace(side, createPortal(links, side, { seed: worldSeed }, i + 1)));
    } else world.at(at, (w) => inject(w, random, link));
  }
}

/** Bytes of chance as datagrams, on their way to both portals. */
function inject(world: World, random: SeededRandom, link: number): void {
  for (const side of [0, 1] as const) {
    for (let i = 0; i < 50; i++) deliver(world, side, link, (bytes) => random.bytes(bytes), random.below(1500));
  }
}

function deliver(world: World, side: 0 | 1, link: number, fill: (bytes: Uint8Array) => void, length: number): void {
  const gateway = world.gateways[side];
  const slot = gateway.pool.take();
  if (slot === NO_SLOT) return;
  const start = gateway.pool.start[slot] as number;
  fill(gateway.pool.bytes.subarray(start, start + length));
  gateway.pool.length[slot] = length;
  gateway.handleDatagram(world.now, link, slot);
  world.touch(side);
}

/** A world of chance with TCP both ways and UDP; the invariants are asserted as it runs. */
function randomRun(worldSeed: number): World {
  const random = new SeededRandom(worldSeed);
  const links = 1 + random.below(4);
  const shapes = Array.from({ length: links }, () => randomShape(random));
  const world = tunnelWorld(shapes, { seed: worldSeed });
  const end = 6 * SECOND;
  addUdp(world, { rate: 2e6, startAt: 0, endAt: end, from: 1 });
  for (const from of [0, 1] as const) {
    const { sender } = addBulk(world, { from, port: 5001 + from, startAt: SECOND / 2 }).from;
    world.at(end, () => {
      sender.written = sender.nextSequence - sender.una + sender.acknowledged;
    });
  }
  randomMishaps(world, random, end, links, worldSeed);
  world.run(end);
  return world;
}

describe(`worlds of chance (NC_SEED=${seed})`, () => {
  const seeds = Array.from({ length: 8 }, (_, i) => seed + i);

  test.each(seeds)("keep every invariant and return every slot, seed %d", (worldSeed) => {
    const world = randomRun(worldSeed);
    // Until the last retransmission is through or given up, and the queues are empty.
    const late = ([0, 1] as const).map((from) =>
      addUdp(world, { rate: 400_000, startAt: 60 * SECOND, endAt: 62 * SECOND, from, port: 7101 + from }),
    );
    world.run(100 * SECOND);
    for (const flow of late) expect(flow.to.numbers.length).toBeGreaterThan(0.5 * flow.from.sent);
    for (const side of [0, 1] as const) expect(world.gateways[side].pool.free).toBeGreaterThanOrEqual(POOL - 4);
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

function recordingWorld(security: "blake2s" | "none"): { world: World; recorder: Recorder } {
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
      for (const { link, bytes } of recorder.record.slice(0, 600)) {
        deliver(w, 1, link, (to) => to.set(bytes), bytes.length);
      }
    };
    replay(world);
    world.run(4 * SECOND);
    const { drops } = portalOf(world, 1).portal.snapshot(world.now);
    expect(drops["datagram-replayed"]).toBeGreaterThan(500);
    const { record } = recorder;
    world.replace(1, createPortal(2, 1, { seed, portal: { security: "blake2s" } }, 1));
    world.run(4.5 * SECOND);
    for (const { link, bytes } of record.slice(0, 600)) deliver(world, 1, link, (to) => to.set(bytes), bytes.length);
    world.run(8 * SECOND);
    expect(flow.to.duplicates).toBe(0);
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
