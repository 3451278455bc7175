// Somebody on the way plays back, changes, cuts and makes up datagrams while a transfer runs. The long version is `npm run attack`.
import { expect, test } from "bun:test";
import { ATTACKED_LINKS, transferUnderAttack } from "./attack.ts";
import { ATTACKS } from "./attacker.ts";
import { atLeast, describeLab, WAYS } from "./lab.ts";

const COUNT = 60_000;

describeLab("a transfer under attack", { links: ATTACKED_LINKS }, (lab) => {
  for (const way of WAYS)
    test(`goes on, and nothing of what was added is taken for the peer's, ${way}`, async () => {
      const found = await transferUnderAttack(lab, way, COUNT);
      for (const attack of ATTACKS) expect(found.attacks[attack]).toBeGreaterThan(COUNT / 5);
      expect(found.taken).toBeLessThanOrEqual(found.sent);
      expect(found.after).toBe(found.before);
      expect(found.refused).toBeLessThanOrEqual(found.added);
      atLeast(`share that the portal itself refused, ${way}`, found.refused / found.added, 0.9);
      atLeast(`rate under attack against before, ${way}`, found.ratio, 0.8);
    });
});
