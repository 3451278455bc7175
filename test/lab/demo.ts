/**
 * `npm run demo`: two 16 Mbit/s links with 10 ms round trips, in namespaces on this machine; one TCP flow over one link
 * alone, over the tunnel, and over the tunnel while a link is cut and comes back. Ends with a table and a chart, and
 * writes demo.svg. Everything it makes is removed again, after Ctrl-C too.
 */
import { PLAN } from "./addresses.ts";
import { type DemoRun, demoSvg } from "./demo-svg.ts";
import { bar, paint, sparkline, table } from "./demo-text.ts";
import { canUseLab, during, LINE, line, meanBetween } from "./lab.ts";
import { ping } from "./ping.ts";
import { Portals, programCommand, usualPlans } from "./portals.ts";
import { Topology } from "./topology.ts";
import { type Bulk, Traffic, type Way } from "./traffic.ts";

const RATE = 16e6;
const RATE_MBITS = RATE / 1e6;
const LINKS = 2;
const SVG_FILE = "demo.svg";
const ALONE_MILLIS = 5_000;
const TUNNEL_MILLIS = 7_000;
const CUT_MILLIS = 14_000;
/** When the second link is cut, and when it is plugged in again, in seconds of the transfer. */
const CUT_AT = 3.5;
const BACK_AT = 7;
/** The start of a transfer, and what follows a change, is left out of the means by this much. */
const SETTLE = 1.5;
const NAMES: Readonly<Record<Way, string>> = { down: "download", up: "upload" };

interface Stage {
  readonly topology: Topology;
  readonly traffic: Traffic;
}

async function main(): Promise<number> {
  if (!canUseLab) {
    console.error("The demo makes network namespaces: it needs Linux, root and /dev/net/tun. Try: sudo npm run demo");
    return 77;
  }
  const began = performance.now();
  introduce();
  const topology = await Topology.create({ links: Array.from({ length: LINKS }, () => line(RATE)) });
  const traffic = await Traffic.start(topology);
  const portals = new Portals(topology);
  try {
    const runs = await measure({ topology, traffic }, portals);
    conclude(runs);
    await Bun.write(SVG_FILE, demoSvg(runs, RATE_MBITS, [CUT_AT, BACK_AT]));
    console.log(
      `\nWrote ${SVG_FILE}. Took ${((performance.now() - began) / 1_000).toFixed(0)} s; nothing is left behind.`,
    );
  } finally {
    await portals.remove();
    await traffic.stop();
    await topology.remove();
  }
  return 0;
}

function introduce(): void {
  const queue = (LINE.queueTime ?? 0) / 1_000;
  console.log(`
${paint("bold", "netcombiner: several Internet links as one")}

              ╔══ link 1 ══╗
   client ── local portal  internet ── remote portal (one interface)
              ╚══ link 2 ══╝  └─────── server

Real kernels in network namespaces. Each link: ${RATE_MBITS} Mbit/s each way, 10 ms round trip, a queue of ${queue} ms.
Both portals run from ${programCommand().join(" ")} and configuration files, with keyed BLAKE2s.
Each figure is the goodput of one TCP flow (the kernel's own) as its receiver counted it.
`);
}

async function measure({ topology, traffic }: Stage, portals: Portals): Promise<DemoRun[]> {
  const runs: DemoRun[] = [];
  const aloneFrom = PLAN[4].direct(0);
  console.log(paint("bold", "One link alone, without the tunnel"));
  console.log(`  round trip ${(await roundTrip(topology, aloneFrom)).toFixed(1)} ms`);
  for (const way of ["down", "up"] as const)
    runs.push({ way, kind: "alone", bulk: await transfer(traffic, aloneFrom, way, ALONE_MILLIS) });

  await portals.startBoth(usualPlans(Array.from({ length: LINKS }, (_, i) => i)), LINKS);
  console.log(paint("bold", "\nThrough the tunnel, both links"));
  console.log(`  round trip ${(await roundTrip(topology, PLAN[4].client)).toFixed(1)} ms`);
  for (const way of ["down", "up"] as const)
    runs.push({ way, kind: "tunnel", bulk: await transfer(traffic, PLAN[4].client, way, TUNNEL_MILLIS) });

  console.log(paint("bold", `\nThe same; link 2 is cut at ${CUT_AT} s and comes back at ${BACK_AT} s`));
  for (const way of ["down", "up"] as const) {
    const [bulk] = await Promise.all([
      transfer(traffic, PLAN[4].client, way, CUT_MILLIS),
      during([
        [CUT_AT * 1_000, () => topology.cut(1)],
        [BACK_AT * 1_000, () => topology.restore(1)],
      ]),
    ]);
    runs.push({ way, kind: "cut", bulk });
  }
  return runs;
}

/** Measures round trips while idle, after some packets have gone ahead: programs just started are slow. */
async function roundTrip(topology: Topology, from: string): Promise<number> {
  const plan = { from, to: PLAN[4].server, intervalMillis: 10 };
  await ping(topology, "client", { ...plan, count: 50 });
  return (await ping(topology, "client", { ...plan, count: 50 })).median;
}

/** Runs one transfer with a line of progress, redrawn on a terminal. */
async function transfer(traffic: Traffic, from: string, way: Way, millis: number): Promise<Bulk> {
  const seen: number[] = [];
  const draw = (seconds: number, mbits: number) => {
    const chart = sparkline(seen, LINKS * RATE_MBITS, Math.ceil(millis / 200));
    return `  ${NAMES[way].padEnd(9)} ${chart} ${mbits.toFixed(1).padStart(5)} Mbit/s  ${seconds.toFixed(1).padStart(4)} s`;
  };
  const live = (seconds: number, mbits: number) => {
    seen.push(mbits);
    if (process.stdout.isTTY) process.stdout.write(`\r${draw(seconds, mbits)}`);
  };
  const bulk = await traffic.bulk({ from, way, millis, live });
  const end = process.stdout.isTTY ? "\r" : "";
  console.log(`${end}${draw(millis / 1_000, bulk.steadyMbits)} `);
  return bulk;
}

function conclude(runs: readonly DemoRun[]): void {
  const steady = (kind: DemoRun["kind"], way: Way) => one(runs, kind, way).bulk.steadyMbits;
  const around = (way: Way, from: number, to: number) => meanBetween(one(runs, "cut", way).bulk, from + SETTLE, to);
  const rows: readonly (readonly [string, (way: Way) => number])[] = [
    ["one link alone", (way) => steady("alone", way)],
    ["tunnel, both links", (way) => steady("tunnel", way)],
    ["tunnel, before the cut", (way) => around(way, 0, CUT_AT)],
    ["tunnel, link 2 cut", (way) => around(way, CUT_AT, BACK_AT)],
    ["tunnel, link 2 back", (way) => around(way, BACK_AT, CUT_MILLIS / 1_000)],
  ];
  const cells = rows.map(([name, mbits]) => [
    name,
    ...(["down", "up"] as const).flatMap((way) => [
      mbits(way).toFixed(1),
      `${(mbits(way) / steady("alone", way)).toFixed(2)} x`,
    ]),
  ]);
  console.log(`\n${table(["Mbit/s", "download", "", "upload", ""], cells)}\n`);
  for (const [name, mbits] of rows)
    for (const way of ["down", "up"] as const)
      console.log(
        `  ${(way === "down" ? name : "").padEnd(23)}${way.padEnd(5)}${bar(mbits(way), LINKS * RATE_MBITS, 40)}`,
      );
  console.log(`\nMeans leave out the first seconds of a transfer, and ${SETTLE} s after the cut and the return.`);
}

function one(runs: readonly DemoRun[], kind: DemoRun["kind"], way: Way): DemoRun {
  const found = runs.find((run) => run.kind === kind && run.way === way);
  if (!found) throw new Error(`no run ${kind} ${way}`);
  return found;
}

if (import.meta.main) process.exit(await main());
