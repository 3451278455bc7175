import { describe, expect, test } from "bun:test";
import { NEVER } from "../../../src/clock.ts";
import { PACKET_FLAG, PacketPool, type Slot } from "../../../src/memory/packet-pool.ts";
import type { Path } from "../../../src/path/path.ts";
import { Duplicates } from "../../../src/portal/sending/duplicates.ts";

const SECOND = 1_000_000;

interface View {
  readonly id: number;
  readonly arrival?: number;
  readonly isMetered?: boolean;
  readonly isMeasured?: boolean;
  readonly estimate?: number;
}

function path({ id, arrival = 10_000, isMetered = false, isMeasured = true, estimate = 1e6 }: View): Path {
  const view = { id, arrival, isMeasured, estimate, metric: 0, isUp: true, jitter: 0, randomLoss: 0 };
  return { ...view, limits: { isMetered } } as Path;
}

class Bench {
  readonly pool = new PacketPool(256, 1_500);
  readonly paths: Path[];
  readonly duplicates: Duplicates;

  constructor(...views: readonly View[]) {
    this.paths = views.map(path);
    this.duplicates = new Duplicates(this.pool, this.paths);
  }

  /** A packet sent at `now` on the path with this number. */
  sent(now: number, on: number, length = 200): Slot {
    const slot = this.pool.take();
    this.pool.length[slot] = length;
    this.pool.time[slot] = now;
    this.pool.inFlight[slot] = 1;
    this.duplicates.offer(slot, this.paths[on] as Path);
    return slot;
  }

  next(now: number, on: number): Slot {
    const wanted = this.duplicates.wants(now, this.paths[on] as Path);
    const slot = this.duplicates.next(now, this.paths[on] as Path);
    expect(wanted).toBe(slot >= 0);
    if (slot >= 0) this.pool.release(slot);
    return slot;
  }

  /** How many slots are held though their sender gave them back. */
  held(): number {
    return this.pool.count - this.pool.free;
  }
}

describe("Duplicates", () => {
  test("go to the best other path, and to no other", () => {
    const bench = new Bench({ id: 0 }, { id: 1, arrival: 60_000 }, { id: 2, arrival: 30_000 });
    const slot = bench.sent(SECOND, 0);
    expect([bench.next(SECOND, 0), bench.next(SECOND, 1)]).toEqual([-1, -1]);
    expect([bench.next(SECOND, 2), bench.next(SECOND, 2)]).toEqual([slot, -1]);
    expect(bench.duplicates.sent).toBe(1);
  });

  test("never go where traffic is paid for, delays are unknown, or a repair would come sooner", () => {
    for (const other of [{ isMetered: true }, { isMeasured: false }, { arrival: 161_000 }]) {
      const bench = new Bench({ id: 0 }, { id: 1, ...other });
      bench.sent(SECOND, 0);
      expect(bench.next(SECOND, 1)).toBe(-1);
    }
    // One that is metered stands in nobody's way.
    const bench = new Bench({ id: 0 }, { id: 1, isMetered: true }, { id: 2, arrival: 30_000 });
    const slot = bench.sent(SECOND, 0);
    expect(bench.next(SECOND, 2)).toBe(slot);
  });

  test("are not sent of what has arrived, is settled, or is old", () => {
    const bench = new Bench({ id: 0 }, { id: 1 });
    bench.pool.flags[bench.sent(SECOND, 0)] = PACKET_FLAG.DELIVERED;
    bench.pool.inFlight[bench.sent(SECOND, 0)] = 0;
    expect(bench.next(SECOND, 1)).toBe(-1);
    bench.sent(SECOND, 0);
    expect(bench.next(SECOND + 20_001, 1)).toBe(-1);
  });

  test("take a twentieth of the path's rate at most, in bursts of two packets", () => {
    for (const [estimate, most] of [
      [1e6, 50_000],
      [NEVER, 62_500],
    ] as const) {
      const bench = new Bench({ id: 0 }, { id: 1, estimate });
      let bytes = 0;
      for (let now = SECOND; now < 3 * SECOND; now += 1_000) {
        const slot = bench.sent(now, 0);
        if (bench.next(now, 1) >= 0) bytes += 200;
        bench.pool.release(slot);
      }
      expect(bytes).toBeWithin(1.9 * most, 2 * most + 3_400);
    }
  });

  test("hold no more than a few packets, and give back what they hold", () => {
    const bench = new Bench({ id: 0 }, { id: 1 });
    for (let i = 0; i < 200; i++) bench.pool.release(bench.sent(SECOND, 0));
    expect(bench.held()).toBe(64);
    bench.duplicates.clear();
    expect(bench.held()).toBe(0);
    const alone = new Bench({ id: 0 });
    alone.pool.release(alone.sent(SECOND, 0));
    expect(alone.held()).toBe(0);
  });
});
