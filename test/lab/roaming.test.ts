// The local portal's address changes while a transfer runs: a NAT on the way rebinds its port, or the link's interface gets another address.
import { PLAN } from "./addresses.ts";
import { atLeast, atMost, describeLab, during, type Lab, line, meanBetween, measured, WAYS } from "./lab.ts";
import { run } from "./namespaces.ts";
import { usualPlans } from "./portals.ts";

const RATE = 16e6;
const FULL = (RATE * (1448 / 1518)) / 1e6;
const INNER_PORT = 4_000;
const MOVED = "10.77.0.9";

/**
 * Time until a new port is in use: it is seen with the next datagram (20 ms at the most), proven a round trip of 10 ms and a queue of
 * 50 later, and what was lost is retransmitted, at the latest by TCP after its least timeout of 200 ms.
 */
const REBOUND_MILLIS = 400;
/** A new address is looked up by the control plane first, which is told of it by the kernel. */
const READDRESSED_MILLIS = 600;
/** Share of full links in seconds that begin with the change: headers take 5 %, the search for the rate the rest. */
const LEAST_SHARE = 0.7;

/** Sets up a NAT at the first router of link 0 that shows the portal's port as `outer`, and knows no other. */
function translate(lab: Lab, outer: number): void {
  const rules = `
    add table ip rebind
    delete table ip rebind
    add table ip rebind
    add chain ip rebind in { type filter hook prerouting priority raw; }
    add rule ip rebind in iifname wan0 udp sport ${INNER_PORT} udp sport set ${outer}
    add rule ip rebind in iifname rem ip daddr ${PLAN[4].wan(0)} udp dport ${outer} udp dport set ${INNER_PORT}
    add rule ip rebind in iifname rem ip daddr ${PLAN[4].wan(0)} udp dport != ${INNER_PORT} drop
  `;
  run(lab.topology.command("inet", ["nft", "-f", "-"]), rules.replaceAll(/^ +/gm, ""));
}

function forget(lab: Lab): void {
  run(lab.topology.command("inet", ["nft", "delete", "table", "ip", "rebind"]));
}

/** Waits until the remote portal sends to an address with `text` in it. */
async function untilSeenAt(lab: Lab, text: string): Promise<void> {
  await lab.portals.remote.until(`sending to ${text}`, ({ links }) =>
    links.some(({ paths }) => paths.some(({ remote }) => remote.includes(text))),
  );
}

/** Gives link 0's interface another address, as DHCP may. */
function readdress(lab: Lab, from: string, to: string): void {
  const { wanRouter, networkBits } = PLAN[4];
  lab.topology.ip("inet", [`neigh replace ${to} lladdr 02:6e:63:00:00:02 dev wan0 nud permanent`]);
  lab.topology.ip("local", [
    `addr del ${from}/${networkBits} dev wan0`,
    `addr add ${to}/${networkBits} dev wan0`,
    `route replace default via ${wanRouter(0)} dev wan0 table 100`,
    `route replace default via ${wanRouter(0)} dev wan0 metric 100`,
    `rule del from ${from} table 100`,
    `rule add from ${to} table 100 priority 100`,
  ]);
}

describeLab("a tunnel whose local portal moves", { links: [line(RATE), line(RATE)] }, (lab) => {
  for (const links of [[0], [0, 1]])
    for (const way of WAYS)
      measured(`keeps a transfer going when a NAT rebinds, ${way}, over ${links.length} of its links`, async () => {
        await lab.reset(links.map(() => line(RATE)));
        translate(lab, 50_001);
        try {
          const plans = usualPlans(links);
          const peers = plans.local.peers.map((peer, i) => (i === 0 ? { ...peer, LocalPort: INNER_PORT } : peer));
          await lab.portals.startBoth({ ...plans, local: { peers } }, links.length);
          const [bulk, pongs] = await Promise.all([
            lab.tunnel(way, 6_000),
            lab.traffic.pingPong(PLAN[4].client, 6_000),
            during([[2_500, async () => translate(lab, 50_002)]]),
          ]);
          await untilSeenAt(lab, ":50002");
          atMost("longest gap of a ping/pong, ms", pongs.longestGapMillis, REBOUND_MILLIS);
          atLeast("afterwards, against full links", meanBetween(bulk, 3.5, 6) / (links.length * FULL), LEAST_SHARE);
        } finally {
          forget(lab);
        }
      });

  for (const links of [[0], [0, 1]])
    for (const way of WAYS)
      measured(
        `keeps a transfer going when its interface gets another address, ${way}, over ${links.length} of its links`,
        async () => {
          await lab.reset(links.map(() => line(RATE)));
          await lab.portals.startBoth(usualPlans(links), links.length);
          const before = PLAN[4].wan(0);
          const move = during([[2_500, async () => readdress(lab, before, MOVED)]]);
          try {
            const [bulk, pongs] = await Promise.all([
              lab.tunnel(way, 7_000),
              lab.traffic.pingPong(PLAN[4].client, 7_000),
              move,
            ]);
            await untilSeenAt(lab, MOVED);
            atMost("longest gap of a ping/pong, ms", pongs.longestGapMillis, READDRESSED_MILLIS);
            atLeast("afterwards, against full links", meanBetween(bulk, 4.5, 7) / (links.length * FULL), LEAST_SHARE);
          } finally {
            await move;
            readdress(lab, MOVED, before);
          }
        },
      );
});
