import { expect, test } from "bun:test";
import { NO_SLOT, PacketPool } from "../../src/memory/packet-pool.ts";
import { Retransmissions } from "../../src/portal/sending/retransmissions.ts";
import { randomRun } from "../sim/chance.ts";

const TIMES = { retransmissionLifetime: 200_000, reinjectionLifetime: 20_000, overdueAfter: 100_000 };

test("a peer's new run gets no reinjection and no report of packets meant for the old one", () => {
  const pool = new PacketPool(8, 1_500);
  const retransmissions = new Retransmissions(pool, TIMES);
  const slot = pool.take();
  pool.retain(slot);
  pool.inFlight[slot] = 1;
  retransmissions.reinjections.offer(0, slot, 0);
  retransmissions.urgentReinjections.offer(0, slot, 0);
  pool.attempts[slot] = 100;
  retransmissions.onLost(0, slot);
  pool.release(slot);
  expect(retransmissions.hasAbandoned).toBe(true);
  retransmissions.clear();
  expect([
    retransmissions.reinjections.next(0, 1, 1_000),
    retransmissions.urgentReinjections.next(0, 1, 1_000),
    retransmissions.hasAbandoned,
    pool.free,
  ]).toEqual([NO_SLOT, NO_SLOT, false, 8]);
});

/** A world takes seconds of CPU time, which a machine with other load stretches; the test is not about how long. */
const TIMEOUT_MS = 60_000;

test(
  "the world in which a packet came out twice after a restart",
  () => {
    expect(() => randomRun(415)).not.toThrow();
  },
  TIMEOUT_MS,
);
