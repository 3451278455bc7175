/** `npm run attack`: a million datagrams of an attacker in each direction, 20 000 a second, into a running transfer. Ends with 1 if one was accepted. */
import { ATTACKED_LINKS, ATTACKS_PER_SECOND, transferUnderAttack } from "./attack.ts";
import { canUseLab, Lab, WAYS } from "./lab.ts";

const COUNT = Number(process.argv[2] ?? 1_000_000);
const LEAST_RATIO = 0.8;

async function main(): Promise<number> {
  if (!canUseLab) {
    console.error("The attack makes network namespaces: it needs Linux, root and /dev/net/tun.");
    return 77;
  }
  const lab = new Lab();
  let isGood = true;
  try {
    await lab.open({ links: ATTACKED_LINKS });
    for (const way of WAYS) {
      const found = await transferUnderAttack(lab, way, COUNT);
      const isHeld = found.taken <= found.sent && found.after === found.before;
      isGood &&= isHeld && found.ratio >= LEAST_RATIO;
      console.log(
        `${way}: ${found.added} datagrams added at ${ATTACKS_PER_SECOND} a second: ${JSON.stringify(found.attacks)}`,
      );
      console.log(`  refused by the portal: ${found.refused}, the kernel dropped ${found.added - found.refused}`);
      console.log(`  counted as ${JSON.stringify(found.drops)}`);
      console.log(`  state ${isHeld ? "unchanged" : `CHANGED: ${found.before} -> ${found.after}`}`);
      console.log(
        `  rate under attack: ${found.mbits.toFixed(1)} Mbit/s, ${found.ratio.toFixed(2)} of the rate before`,
      );
    }
  } finally {
    await lab.close();
  }
  return isGood ? 0 : 1;
}

if (import.meta.main) process.exit(await main());
