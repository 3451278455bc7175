import { describe, expect, test } from "bun:test";
import { MICROS_PER_SECOND, type Micros } from "../../src/clock.ts";
import type { Slot } from "../../src/memory/packet-pool.ts";
import type { SuiteName } from "../../src/security/suite.ts";
import { PortalGateway } from "../sim/portal-gateway.ts";
import { addUdp, tunnelWorld } from "../sim/scenarios.ts";
import { DIRECT_SHARE, directCapacity, effectiveCapacity, INNER_MTU, tunnelOverhead, tunnelShare } from "./capacity.ts";

/** Knows the longest datagram that came in. */
class Recorder extends PortalGateway {
  longest = 0;

  override handleDatagram(now: Micros, link: number, slot: Slot): void {
    this.longest = Math.max(this.longest, this.pool.length[slot] as number);
    super.handleDatagram(now, link, slot);
  }
}

describe("C_eff", () => {
  test("counts inner TCP payload of full datagrams, of what is not lost", () => {
    const link = { rate: 50e6, loss: 0 };
    // 20 bytes of IPv4 and 32 of TCP inside; a header of 14 and a check sequence of 4 around.
    const share = (INNER_MTU - 52) / (INNER_MTU + tunnelOverhead("blake2s") + 18);
    expect(tunnelShare("blake2s")).toBeCloseTo(share, 12);
    expect(effectiveCapacity([link, link], "blake2s")).toBeCloseTo(100 * share, 9);
    expect(effectiveCapacity([{ rate: 50e6, loss: 0.02 }], "blake2s")).toBeCloseTo(49 * share, 9);
  });

  test.each(["none", "blake2s", "auto"] as const)(
    "has the overhead of the datagrams that a portal sends, security %s",
    (security) => {
      const options = { seed: 1, portal: { security } } as const;
      const world = tunnelWorld([{ rate: 100e6, delay: 1_000 }], options);
      const recorder = new Recorder({ side: 1, links: 1, role: "listen", seed: 2, ...options.portal });
      world.replace(1, recorder);
      const second = MICROS_PER_SECOND;
      const flow = addUdp(world, { rate: 1e6, size: INNER_MTU, startAt: second, endAt: 2 * second });
      world.run(second);
      // Probes of the path's MTU have come by then, which are larger than what carries packets.
      recorder.longest = 0;
      world.run(3 * second);
      // Of 89 packets of a second at 1 Mbit/s: the flow was carried.
      expect(flow.to.numbers.length).toBeGreaterThan(80);
      const suite = recorder.portal.snapshot(3 * second).links[0]?.paths[0]?.keys.suite as SuiteName;
      expect(suite === security || security === "auto").toBe(true);
      expect(recorder.longest + recorder.encapsulation).toBe(INNER_MTU + tunnelOverhead(suite));
    },
  );

  test("of direct TCP is 1448 of 1518 bytes", () => {
    expect(DIRECT_SHARE).toBeCloseTo(0.9539, 4);
    expect(directCapacity({ rate: 100e6, loss: 0.01 })).toBeCloseTo((100 * 0.99 * 1448) / 1518, 9);
  });
});
