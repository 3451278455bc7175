import { expect, test } from "bun:test";
import { NO_SLOT, PacketPool } from "../../src/memory/packet-pool.ts";
import { Repair } from "../../src/portal/sending/retransmissions.ts";
import { randomRun } from "../sim/chance.ts";

test("a peer's new run gets no copy and no word of what was meant for the old one", () => {
  const pool = new PacketPool(8, 1_500);
  const repair = new Repair(pool);
  const slot = pool.take();
  pool.retain(slot);
  pool.copies[slot] = 1;
  repair.copies.offer(0, slot, 0);
  repair.repeats.offer(0, slot, 0);
  pool.attempts[slot] = 100;
  repair.onLost(slot);
  pool.release(slot);
  expect(repair.hasAbandoned).toBe(true);
  repair.clear();
  expect([repair.copies.next(0, 1, 1_000), repair.repeats.next(0, 1, 1_000), repair.hasAbandoned, pool.free]).toEqual([
    NO_SLOT,
    NO_SLOT,
    false,
    8,
  ]);
});

test("the world in which a copy came out again after a restart", () => {
  expect(() => randomRun(415)).not.toThrow();
});
