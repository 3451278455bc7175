import { expect, test } from "bun:test";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { Duplicates } from "../../src/portal/sending/duplicates.ts";
import { Retransmissions } from "../../src/portal/sending/retransmissions.ts";
import { fuzz } from "../fuzz/fuzz.ts";
import { PORTALS } from "../fuzz/portal.ts";
import { End, Pair } from "../portal/pair.ts";
import { linkSettings } from "../support/portal-end.ts";

const TIMES = { retransmissionLifetime: 200_000, reinjectionLifetime: 20_000, overdueAfter: 100_000 };
const LONG = 1_000_000;

test("what waits to be sent once more is discarded in time, also where no path asks for it", () => {
  const pair = new Pair(new End("192.0.2.1", 1), new End("192.0.2.2", 2));
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
  for (const id of [0, 1]) pair.a.portal.addLink(pair.now, linkSettings(id, "initiate"));
  pair.run(LONG);
  const pool = new PacketPool(8, 1_500);
  const retransmissions = new Retransmissions(pool, TIMES);
  const duplicates = new Duplicates(pool, pair.a.portal.paths);
  const slot = pool.take();
  pool.inFlight[slot] = 1;
  retransmissions.reinjections.offer(0, slot, 0);
  retransmissions.urgentReinjections.offer(0, slot, 0);
  duplicates.offer(slot, pair.a.portal.paths[0] as (typeof pair.a.portal.paths)[0]);
  pool.release(slot);
  retransmissions.handleTimeout(0);
  duplicates.discardStale(0);
  expect(pool.free).toBe(7);
  retransmissions.handleTimeout(LONG);
  duplicates.discardStale(LONG);
  expect(pool.free).toBe(8);
});

test("the peer that allowed one path next to nothing and called the other metered", () => {
  expect(() => fuzz("portal-hostile-peer", PORTALS["portal-hostile-peer"], 40_503, 250)).not.toThrow();
});
