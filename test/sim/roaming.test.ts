// The address of the local portal changes while traffic flows, as a NAT or DHCP may have it; what is sent to the old one is lost.
import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import { setPort } from "../../src/endpoint.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE, addressAt } from "./portal-gateway.ts";
import { addBulk, addPingPong, addUdp, goodput, lostNumbers, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";
import type { World } from "./world.ts";

const seed = seedOr(4725);
const SECOND = MICROS_PER_SECOND;
const LINK: Partial<LinkShape> = { rate: 16e6, delay: 10_000, queueTime: 50_000 };

/**
 * Time until a new address is in use: it is tried with the first datagram from it, proven a round trip of 20 ms later, and what was
 * lost is retransmitted after suspicion (50 ms) and twice a round trip with the queue (70 ms), µs.
 */
const LONGEST_GAP = 0.3 * SECOND;
/** A tenth is headers; two of the three seconds begin with what went to the old address. */
const LEAST_SHARE = 0.75;
/** Full datagrams that the link carries in the 40 ms until the peer sees the new address, and as many before congestion control slows down. */
const MISDIRECTED = 60;

/** Makes datagrams of side 0 on link 0 come from another port from now on; only what goes there arrives. */
function rebind(world: World, port: number): void {
  const moved = addressAt(0, 0, false);
  setPort(moved, port);
  portalOf(world, 1).setRemote(0, moved);
}

function worldOf(links: number): World {
  return tunnelWorld(
    Array.from({ length: links }, () => LINK),
    { seed, portal: { ...ADAPTIVE } },
  );
}

describe(`a peer that moves (NC_SEED=${seed})`, () => {
  for (const [links, from] of [
    [1, 0],
    [1, 1],
    [2, 1],
  ] as const)
    test(`keeps a transfer from side ${from} over ${links} links at speed`, () => {
      const world = worldOf(links);
      const bulk = addBulk(world, { from, startAt: SECOND / 2 });
      const pongs = addPingPong(world, SECOND / 2);
      for (const at of [2, 3]) world.at(at * SECOND, (w) => rebind(w, 60_000 + at));
      world.run(5 * SECOND);
      const [link] = portalOf(world, 1).portal.snapshot(world.now).links;
      expect(link?.paths[0]?.remote).toContain("60003");
      expect(link?.paths[0]?.reason).not.toContain("no answer");
      expect(pongs.longestGap).toBeLessThan(LONGEST_GAP);
      expect(goodput(bulk, 2 * SECOND, 5 * SECOND)).toBeGreaterThan(LEAST_SHARE * links * 16e6);
    });

  test("costs what was on its way to the old address, retransmitted, and no more", () => {
    const world = worldOf(1);
    addBulk(world, { from: 1, startAt: SECOND });
    const sparse = addUdp(world, { rate: 100_000, size: 200, startAt: 2 * SECOND, endAt: 4 * SECOND });
    world.at(3 * SECOND, (w) => rebind(w, 60_000));
    world.run(5 * SECOND);
    expect(lostNumbers(sparse)).toEqual([]);
    expect(portalOf(world, 1).misdirected).toBeWithin(1, MISDIRECTED);
  });

  test("silently while nothing flows is found by its next keepalive", () => {
    const world = worldOf(1);
    world.at(3 * SECOND, (w) => rebind(w, 60_000));
    const flow = addUdp(world, { rate: 1e6, from: 1, startAt: 15 * SECOND, endAt: 17 * SECOND });
    world.run(18 * SECOND);
    expect(lostNumbers(flow)).toEqual([]);
  });
});
