/** Worlds whose links, traffic and mishaps follow from a seed; the world's invariants are what they test. */
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import { NO_SLOT } from "../../src/memory/packet-pool.ts";
import { SeededRandom } from "../support/random.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE, DISSERTATION } from "./portal-gateway.ts";
import { addBulk, addUdp, createPortal, type TunnelOptions, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const SECOND = MICROS_PER_SECOND;

/** Returns a link with everything that can be wrong with one. */
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
function randomMishaps(world: World, random: SeededRandom, until: Micros, links: number, options: TunnelOptions): void {
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
      world.at(at, (w) => w.replace(side, createPortal(links, side, options, i + 1)));
    } else world.at(at, (w) => inject(w, random, link));
  }
}

/** Sends bytes of chance as datagrams to both portals. */
export function inject(world: World, random: SeededRandom, link: number): void {
  for (const side of [0, 1] as const) {
    for (let i = 0; i < 50; i++) deliver(world, side, link, (bytes) => random.bytes(bytes), random.below(1500));
  }
}

/** Hands a portal a datagram as if it had come over `link`. */
export function deliver(
  world: World,
  side: 0 | 1,
  link: number,
  fill: (bytes: Uint8Array) => void,
  length: number,
): void {
  const gateway = world.gateways[side];
  const slot = gateway.pool.take();
  if (slot === NO_SLOT) return;
  const start = gateway.pool.start[slot] as number;
  fill(gateway.pool.bytes.subarray(start, start + length));
  gateway.pool.length[slot] = length;
  gateway.handleDatagram(world.now, link, slot);
  world.touch(side);
}

/** Runs a world of chance with TCP both ways and UDP; the invariants are asserted as it runs. */
export function randomRun(worldSeed: number): World {
  const random = new SeededRandom(worldSeed);
  const links = 1 + random.below(4);
  const shapes = Array.from({ length: links }, () => randomShape(random));
  const options = { seed: worldSeed, portal: random.chance(0.7) ? ADAPTIVE : DISSERTATION };
  const world = tunnelWorld(shapes, options);
  const end = 6 * SECOND;
  addUdp(world, { rate: 2e6, startAt: 0, endAt: end, from: 1 });
  for (const from of [0, 1] as const) {
    const { sender } = addBulk(world, { from, port: 5001 + from, startAt: SECOND / 2 }).from;
    world.at(end, () => {
      sender.written = sender.nextSequence - sender.una + sender.acknowledged;
    });
  }
  randomMishaps(world, random, end, links, options);
  world.run(end);
  return world;
}

/**
 * Lets the world come to rest and sends a little each way.
 * @returns the share of it that arrived in the worse direction
 */
export function settle(world: World): number {
  const late = ([0, 1] as const).map((from) =>
    addUdp(world, { rate: 400_000, startAt: 60 * SECOND, endAt: 62 * SECOND, from, port: 7101 + from }),
  );
  world.run(100 * SECOND);
  return Math.min(...late.map((flow) => flow.to.numbers.length / flow.from.sent));
}
