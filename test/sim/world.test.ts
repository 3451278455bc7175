import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import type { PacketBatch } from "../../src/memory/packet-batch.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { PassThrough } from "./gateway.ts";
import { addUdp, seedOr } from "./scenarios.ts";
import { World } from "./world.ts";

const seed = seedOr(7);
const WIDE = { rate: 100e6, delay: 1_000 };

class TellsTwice extends PassThrough {
  override pollPackets(now: Micros, out: PacketBatch): number {
    const count = super.pollPackets(now, out);
    for (let i = 0; i < count; i++) {
      this.pool.retain(out.at(i));
      out.push(out.at(i));
    }
    return out.count;
  }
}

class Shortens extends PassThrough {
  override pollPackets(now: Micros, out: PacketBatch): number {
    const count = super.pollPackets(now, out);
    for (let i = 0; i < count; i++) this.pool.length[out.at(i)] = 100;
    return count;
  }
}

class Invents extends PassThrough {
  override pollPackets(now: Micros, out: PacketBatch): number {
    const count = super.pollPackets(now, out);
    for (let i = 0; i < count; i++) {
      const slot = out.at(i);
      this.pool.bytes[(this.pool.start[slot] as number) + 29] = 0xee;
    }
    return count;
  }
}

class Stalls extends PassThrough {
  override pollTimeout(): Micros {
    return 0;
  }
}

function worldOf(Kind: typeof PassThrough): World {
  const gateway = (): PassThrough => new Kind(new PacketPool(256, 1920), 1);
  const world = new World({ seed, links: [{ out: WIDE, back: WIDE }], gateway });
  addUdp(world, { rate: 1e6, startAt: 0, endAt: MICROS_PER_SECOND });
  return world;
}

describe("the world", () => {
  const faults: readonly (readonly [what: string, kind: typeof PassThrough, complaint: string])[] = [
    ["delivers a packet twice", TellsTwice, "came out but is not in"],
    ["changes the length of a packet", Shortens, "came out 100 of 1000 bytes"],
    ["delivers what was never sent", Invents, "came out but is not in"],
    ["keeps asking for the same moment", Stalls, "time stands still"],
  ];

  test.each(faults)("stops when a gateway %s, and names the seed", (_, kind, complaint) => {
    const run = (): void => worldOf(kind).run(MICROS_PER_SECOND);
    expect(run).toThrow(complaint);
    expect(run).toThrow(`seed ${seed}`);
  });

  test("has nothing against a gateway that does none of it", () => {
    const world = worldOf(PassThrough);
    world.run(2 * MICROS_PER_SECOND);
    expect(world.delivered[1]).toBe(125);
    expect(world.missing(0)).toBe(0);
  });

  test("lets links share a bottleneck", () => {
    const gateway = (): PassThrough => new PassThrough(new PacketPool(4096, 1920), 2);
    const links = [
      { out: WIDE, back: WIDE },
      { out: { ...WIDE, delay: 5_000 }, back: WIDE },
    ];
    const world = new World({ seed, links, gateway });
    const shared = world.share({ side: 0, links: [0, 1], shape: { rate: 10e6, queuePackets: 50 } });
    const flow = addUdp(world, { rate: 20e6, startAt: 0, endAt: MICROS_PER_SECOND });
    world.run(2 * MICROS_PER_SECOND);
    // A second of 10 Mbit/s, less the wire's overhead and with the queue's rest; its 50 packets of 1000 bytes are filled.
    expect((flow.to.bytes * 8) / 1e6).toBeWithin(0.95 * 10, 1.05 * 10);
    expect(shared.peakBacklog).toBeGreaterThan(49 * 1_000);
    expect(world.pool.free).toBe(world.pool.count);
  });
});
