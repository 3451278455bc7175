/** A transfer under attack, beside the same one left alone: how much of its rate is left, and what became of what was added. */

import type { TunnelSnapshot } from "../../src/portal/snapshot.ts";
import { ATTACKS, type Attack } from "./attacker.ts";
import { type Lab, line, meanBetween } from "./lab.ts";
import type { PortalPlace } from "./portals.ts";
import { usualPlans } from "./portals.ts";
import type { Way } from "./traffic.ts";

export const ATTACKED_RATE = 50e6;
export const ATTACKED_LINKS = [line(ATTACKED_RATE), line(ATTACKED_RATE)];
export const ATTACKS_PER_SECOND = 20_000;
/** After the transfer has begun, and so long after the attack begins that it has found its rate before. */
const BEFORE_MILLIS = 3_000;

/** Time for the attack beyond the transfer. */
const TIMEOUT_MILLIS = 120_000;
/** An attack that adds nothing for so long is over: at its rate, 10,000 datagrams. */
const LOOK_MILLIS = 500;

/** Reasons for which an attacker's datagrams are dropped; what the host sends has others. */
const REFUSED = /^(datagram|exchange)-/;

export interface Attacked {
  /** Frames added, by kind, and in all. */
  readonly attacks: Readonly<Record<Attack, number>>;
  readonly added: number;
  /** Those of them that the portal counted as refused; the kernel dropped the rest. */
  readonly refused: number;
  readonly drops: TunnelSnapshot["drops"];
  /** Datagrams that the peer sent, and that the attacked portal took for the peer's, over all paths. */
  readonly sent: number;
  readonly taken: number;
  /** Identities, states, addresses and suites of the paths, which must be as before. */
  readonly before: string;
  readonly after: string;
  /** Rate under attack against the rate before it. */
  readonly ratio: number;
  readonly mbits: number;
}

/** Runs one TCP flow over both links; from its third second on `count` forgeries hit the portal that receives it, over the first link. */
export async function transferUnderAttack(lab: Lab, way: Way, count: number): Promise<Attacked> {
  await lab.reset(ATTACKED_LINKS);
  await lab.portals.startBoth(usualPlans([0, 1]), 2);
  const [attacked, sender]: PortalPlace[] = way === "up" ? ["remote", "local"] : ["local", "remote"];
  const attackMillis = (1_000 * count) / ATTACKS_PER_SECOND;
  const before: { value?: TunnelSnapshot } = {};
  const [bulk] = await Promise.all([
    lab.tunnel(way, BEFORE_MILLIS + attackMillis + 500),
    Bun.sleep(BEFORE_MILLIS).then(async () => {
      before.value = await lab.portals[attacked as PortalPlace].snapshot();
      await lab.topology.attack(0, way, ATTACKS_PER_SECOND, count);
    }),
  ]);
  await untilAttacked(lab, way);
  const after = await lab.portals[attacked as PortalPlace].snapshot();
  const peer = await lab.portals[sender as PortalPlace].snapshot();
  const attacks = await attacksOf(lab, way);
  const start = BEFORE_MILLIS / 1_000;
  const mbits = meanBetween(bulk, start + 0.3, start + attackMillis / 1_000);
  return {
    attacks,
    added: sumOf(attacks),
    refused: refusedOf(after),
    drops: after.drops,
    sent: total(peer, "sent"),
    taken: total(after, "received"),
    before: stateOf(before.value as TunnelSnapshot),
    after: stateOf(after),
    ratio: mbits / meanBetween(bulk, 1.5, start),
    mbits,
  };
}

async function attacksOf(lab: Lab, way: Way): Promise<Attacked["attacks"]> {
  const { cables } = await lab.topology.counters();
  return (cables[0] as (typeof cables)[0])[way === "up" ? 0 : 1].attacks;
}

function sumOf(attacks: Attacked["attacks"]): number {
  return ATTACKS.reduce((sum, attack) => sum + attacks[attack], 0);
}

/** Waits until the emulator adds no more, which takes longer on a busy machine, and the portal had time to take it in. */
async function untilAttacked(lab: Lab, way: Way): Promise<void> {
  const end = performance.now() + TIMEOUT_MILLIS;
  for (let added = -1, before = -2; added !== before; ) {
    if (performance.now() > end) throw new Error(`the attack does not end in ${TIMEOUT_MILLIS} ms: ${added} added`);
    await Bun.sleep(LOOK_MILLIS);
    before = added;
    added = sumOf(await attacksOf(lab, way));
  }
}

function refusedOf({ drops }: TunnelSnapshot): number {
  return Object.entries(drops).reduce((sum, [reason, count]) => sum + (REFUSED.test(reason) ? count : 0), 0);
}

function total(snapshot: TunnelSnapshot, what: "sent" | "received"): number {
  const paths = snapshot.links.flatMap((link) => link.paths);
  return paths.reduce((sum, path) => sum + path[what].packets, 0);
}

function stateOf(snapshot: TunnelSnapshot): string {
  const links = snapshot.links.map(({ paths, failures }) => ({
    failures,
    paths: paths.map(({ id, state, remote, keys }) => ({ id, state, remote, suite: keys.suite })),
  }));
  return JSON.stringify(links);
}
