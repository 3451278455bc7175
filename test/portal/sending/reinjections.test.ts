import { describe, expect, test } from "bun:test";
import { NEVER } from "../../../src/clock.ts";
import { NO_SLOT, PACKET_FLAG, PacketPool, type Slot } from "../../../src/memory/packet-pool.ts";
import { Reinjections } from "../../../src/portal/sending/reinjections.ts";

const LIFETIME = 50_000;

class Bench {
  readonly pool = new PacketPool(2_048, 100);
  readonly reinjections = new Reinjections(this.pool);

  /** A packet that one datagram carries, left on `path` at `now`. */
  offer(now: number, path: number): Slot {
    const slot = this.pool.take();
    this.pool.inFlight[slot] = 1;
    this.reinjections.offer(now, slot, path);
    return slot;
  }
}

describe("Reinjections", () => {
  test("go by another path than the first, the oldest first, each once", () => {
    const bench = new Bench();
    const [first, second] = [bench.offer(0, 1), bench.offer(1_000, 1)];
    const next = (path: number): Slot => bench.reinjections.next(2_000, path, LIFETIME);
    expect([next(1), next(0), next(2), next(0)]).toEqual([NO_SLOT, first, second, NO_SLOT]);
    expect([bench.reinjections.taken, bench.reinjections.length]).toEqual([2, 0]);
  });

  test("that are overdue go by any path", () => {
    const bench = new Bench();
    const slot = bench.offer(10_000, 1);
    expect(bench.reinjections.overdueAt(30_000)).toBe(40_000);
    const next = (now: number): Slot => bench.reinjections.nextOverdue(now, 30_000, LIFETIME);
    expect([next(39_999), next(40_000), next(50_000)]).toEqual([NO_SLOT, slot, NO_SLOT]);
    expect(bench.reinjections.overdueAt(30_000)).toBe(NEVER);
  });

  test("are discarded once the packet arrived, was lost, or is too old", () => {
    const bench = new Bench();
    const [arrived, lost] = [bench.offer(0, 1), bench.offer(0, 1)];
    bench.offer(0, 1);
    const young = bench.offer(10_000, 1);
    bench.pool.flags[arrived] = PACKET_FLAG.DELIVERED;
    bench.pool.inFlight[lost] = 0;
    expect(bench.reinjections.next(55_000, 0, LIFETIME)).toBe(young);
    // Each is still its carrier's.
    expect(bench.pool.owners(arrived)).toBe(1);
  });

  test("are bounded: the newest push out the oldest", () => {
    const bench = new Bench();
    const first = bench.offer(0, 1);
    for (let i = 0; i < 1_024; i++) bench.offer(0, 1);
    expect([bench.reinjections.length, bench.pool.owners(first)]).toEqual([1_024, 1]);
    bench.reinjections.clear();
    expect(bench.reinjections.length).toBe(0);
  });
});
