// Layers (dissertation, 2.2.3, figures 2.3 and 2.4): a tunnel over one WireGuard tunnel a link, and WireGuard through the tunnel.
import { expect } from "bun:test";
import { PLAN } from "./addresses.ts";
import { atLeast, describeLab, type Lab, line, measured, WAYS } from "./lab.ts";
import { ping } from "./ping.ts";
import { usualPlans } from "./portals.ts";
import { WireGuardTunnel } from "./wireguard.ts";

const RATE = 16e6;
const LINKS = [line(RATE), line(RATE)];
/** Both links full of packets without a tunnel. */
const FULL = (2 * RATE * (1448 / 1518)) / 1e6;
/** The headers of both layers take a tenth; the rest is for a search that is not over. */
const LEAST = 0.7;
const MILLIS = 4_000;
/** CUBIC inside WireGuard gets no help of ours in its slow start. */
const LONG_MILLIS = 7_000;
/** WireGuard's own default for links of 1500 bytes, and what IPv4 and UDP take of it. */
const OUTER_MTU = 1_420;
const UDP_HEADERS = 28;
/** WireGuard around a packet: IPv4, UDP, its header and tag. */
const WIREGUARD_HEADERS = 60;
const PING_HEADERS = 28;
const PORT = 51_820;
/** The client's address in the WireGuard tunnel to the server. */
const INNER = "10.201.0.2";

/** Starts one tunnel for each link, kept on the link by a mark. */
async function wireLinks(lab: Lab): Promise<WireGuardTunnel[]> {
  return await Promise.all(
    LINKS.map(async (_, i) => {
      const mark = 100 + i;
      lab.topology.ip("local", [`rule add fwmark ${mark} table ${mark} priority ${10 + i}`]);
      return await WireGuardTunnel.start(lab.topology, `w${i}`, OUTER_MTU, [
        {
          place: "local",
          address: `10.200.${i}.2/24`,
          allowed: [`10.200.${i}.1/32`],
          endpoint: `${PLAN[4].remote}:${PORT + i}`,
          mark,
        },
        { place: "remote", address: `10.200.${i}.1/24`, allowed: [`10.200.${i}.2/32`], port: PORT + i },
      ]);
    }),
  );
}

/** Starts a tunnel between client and server; packets that the client sends from `INNER` go through it. */
async function wireHosts(lab: Lab, mtu: number): Promise<WireGuardTunnel> {
  const { server } = PLAN[4];
  const tunnel = await WireGuardTunnel.start(lab.topology, "wi", mtu, [
    { place: "client", address: `${INNER}/32`, allowed: [`${server}/32`], endpoint: `${server}:${PORT}` },
    { place: "server", address: "10.201.0.1/32", allowed: [`${INNER}/32`], port: PORT },
  ]);
  const [near, far] = tunnel.names;
  lab.topology.ip("client", [`rule add from ${INNER} table 201`, `route add default dev ${near} table 201`]);
  lab.topology.ip("server", [`route add ${INNER}/32 dev ${far}`]);
  return tunnel;
}

async function pingWhole(lab: Lab, from: string, size: number): Promise<void> {
  const to = PLAN[4].server;
  const round = await ping(lab.topology, "client", { from, to, count: 5, size: size - PING_HEADERS, isWhole: true });
  expect(round.lost, round.text).toBe(0);
}

describeLab("a tunnel inside WireGuard", { links: LINKS }, (lab) => {
  measured("carries with blake2s and without security, at the size that fits", async () => {
    const tunnels = await wireLinks(lab);
    try {
      for (const Security of ["blake2s", "none"]) {
        await lab.reset(LINKS);
        const plans = usualPlans([0, 1], { host: { Security } });
        const peers = tunnels.map(({ names }, i) => ({
          Name: `wan${i}`,
          LocalInterface: names[0],
          RemoteHost: `10.200.${i}.1`,
        }));
        await lab.portals.startBoth({ ...plans, local: { ...plans.local, peers } }, 2);
        for (const place of ["local", "remote"] as const)
          await lab.portals[place].until("the paths' sizes found", ({ links }) =>
            links.every(({ paths }) => paths.every((path) => path.mtu === OUTER_MTU - UDP_HEADERS)),
          );
        await pingWhole(lab, PLAN[4].client, (await lab.portals.local.snapshot()).mtu);
        for (const way of WAYS)
          atLeast(`${Security}, ${way}, against both links`, (await lab.tunnel(way, MILLIS)).steadyMbits / FULL, LEAST);
      }
    } finally {
      await lab.portals.stop();
      await Promise.all(tunnels.map((tunnel) => tunnel.stop()));
    }
  });
});

describeLab("WireGuard inside the tunnel", { links: LINKS }, (lab) => {
  measured("carries over a tunnel with blake2s and without security, at the size that fits", async () => {
    let wireguard: WireGuardTunnel | undefined;
    try {
      for (const Security of ["blake2s", "none"]) {
        await lab.reset(LINKS);
        await lab.portals.startBoth(usualPlans([0, 1], { host: { Security } }), 2);
        const mtu = (await lab.portals.local.snapshot()).mtu - WIREGUARD_HEADERS;
        wireguard ??= await wireHosts(lab, mtu);
        await pingWhole(lab, INNER, mtu);
        for (const way of Security === "none" ? ["down" as const] : WAYS) {
          const { steadyMbits } = await lab.traffic.bulk({ from: INNER, way, millis: LONG_MILLIS });
          atLeast(`${Security}, ${way}, against both links`, steadyMbits / FULL, LEAST);
        }
        expect((await lab.portals.local.snapshot()).fragments.sent).toBe(0);
      }
    } finally {
      await wireguard?.stop();
    }
  });
});
