// Somebody on the way plays back, changes, cuts and makes up datagrams while a transfer runs. The long version is `npm run attack`.
import { expect, test } from "bun:test";
import { ATTACKED_LINKS, transferUnderAttack } from "./attack.ts";
import { ATTACKS } from "./attacker.ts";
import { atLeast, describeLab, measured, WAYS } from "./lab.ts";
import { usualPlans } from "./portals.ts";

const COUNT = 60_000;
const PLAYED_BACK = 5_000;
const ENOUGH = 500;
/** Least share of each of four kinds of forgeries that are drawn alike. */
const LEAST_OF_KIND = 1 / 5;
/** Share that the kernel hands over: it drops broken lengths, and what a full socket cannot take. */
const REFUSED_SHARE = 0.9;
/** Refusing 20,000 datagrams a second costs a tenth of a core, and queueing before it as much again. */
const RATE_SHARE = 0.8;

describeLab("a transfer under attack", { links: ATTACKED_LINKS }, (lab) => {
  for (const way of WAYS)
    measured(`goes on, and nothing of what was added is taken for the peer's, ${way}`, async () => {
      const found = await transferUnderAttack(lab, way, COUNT);
      for (const attack of ATTACKS) expect(found.attacks[attack]).toBeGreaterThan(COUNT * LEAST_OF_KIND);
      expect(found.taken).toBeLessThanOrEqual(found.sent);
      expect(found.after).toBe(found.before);
      expect(found.refused).toBeLessThanOrEqual(found.added);
      atLeast(`share that the portal itself refused, ${way}`, found.refused / found.added, REFUSED_SHARE);
      atLeast(`rate under attack against before, ${way}`, found.ratio, RATE_SHARE);
    });

  test("leads nowhere when it comes to a portal started anew, with what was recorded before", async () => {
    await lab.reset(ATTACKED_LINKS);
    const plans = usualPlans([0, 1]);
    await lab.portals.startBoth(plans, 2);
    await lab.topology.attack(0, "up", 1_000, PLAYED_BACK);
    try {
      await lab.tunnel("up", 1_000);
      // What is sent from here on is the attacker's alone.
      await lab.portals.stop();
      const remote = await lab.portals.start("remote", plans.remote);
      await remote.until("attacked", ({ drops }) => (drops["datagram-foreign"] ?? 0) > ENOUGH);
      const { inbound, links } = await remote.snapshot();
      expect(inbound.packets).toBe(0);
      expect(links.flatMap(({ paths }) => paths).filter(({ state }) => state !== "exchanging")).toEqual([]);
    } finally {
      await lab.topology.attack(0, "up", 1, 0);
    }
  });
});
