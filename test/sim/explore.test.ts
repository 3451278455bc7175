import { expect, test } from "bun:test";
import { MICROS_PER_SECOND } from "../../src/clock.ts";
import { NO_LIMITS } from "../../src/path/limits.ts";
import type { LinkShape } from "./link-model.ts";
import { ADAPTIVE, type PortalOptions } from "./portal-gateway.ts";
import { addBulk, portalOf, seedOr, tunnelWorld } from "./scenarios.ts";

const SECOND = MICROS_PER_SECOND;
const NEAR: Partial<LinkShape> = { rate: 20e6, delay: 10_000, queuePackets: 1_000 };
const FAR: Partial<LinkShape> = { rate: 20e6, delay: 150_000, queuePackets: 1_000 };

/** Returns the padding sent on each path by the portal of the sender. */
function explored(portal: Partial<PortalOptions>, isBusy: boolean): number[] {
  const world = tunnelWorld([NEAR, FAR], { seed: seedOr(3), portal: { ...ADAPTIVE, ...portal } });
  if (isBusy) addBulk(world, { startAt: 2 * SECOND });
  world.run(8 * SECOND);
  const { links } = portalOf(world, 0).portal.snapshot(world.now);
  return links.flatMap((link) => link.paths.map((path) => path.padding));
}

test("a path that others' backlog will need is measured with padding, a little and once", () => {
  const [near, far] = explored({}, true) as [number, number];
  expect(near).toBe(0);
  expect(far).toBeWithin(10_000, 1_000_000);
});

test("no padding goes while nobody needs the path, nor on a metered link", () => {
  expect(explored({}, false)).toEqual([0, 0]);
  const limits = { ...NO_LIMITS, isMetered: true };
  expect(explored({ link: { ...ADAPTIVE.link, limits } }, true)).toEqual([0, 0]);
});
