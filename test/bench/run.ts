/**
 * `npm run bench`: both portals on this machine, one unshaped link, one TCP flow of iperf3, beside wireguard-go in the same
 * run, or only the subjects named as arguments. Prints throughput and its ratio to wireguard-go's, idle round trips, processor time at rest, and memory at full load.
 */
import { existsSync } from "node:fs";
import { median } from "../support/statistics.ts";
import { Pair } from "./pair.ts";
import { startNetcombiner, startWireguardGo, type Tunnel } from "./tunnels.ts";

const SECONDS = 4;
const PINGS = 200;
const REST_SECONDS = 4;
const ROUNDS = 2;

interface Figures {
  readonly name: string;
  gbits: number[];
  /** Round trips of a tunnel that has just come up, and of one that has carried load: by then its code is compiled. */
  freshMillis: number;
  roundTripMillis: number;
  residentMegabytes: number;
  restPercent: number;
}

type Start = (pair: Pair) => Promise<Tunnel>;

const SUBJECTS: readonly (readonly [string, Start])[] = [
  ["wireguard-go", startWireguardGo],
  ...(["aes-256-gcm", "chacha20-poly1305", "blake2s", "none"] as const).map(
    (security) => [security, (pair: Pair) => startNetcombiner(pair, security)] as const,
  ),
];

async function main(): Promise<number> {
  if (process.getuid?.() !== 0 || !existsSync("/dev/net/tun")) {
    console.error("The benchmark makes network namespaces: it needs root and /dev/net/tun.");
    return 77;
  }
  console.log(`One TCP flow over an unshaped veth, ${ROUNDS} rounds of ${SECONDS} s; both ends share this machine.\n`);
  const bare = await measureBare();
  const figures: Figures[] = [];
  const chosen = process.argv.slice(2);
  for (const [name, start] of SUBJECTS) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const found = await measure(name, start);
    if (found) figures.push(found);
  }
  print(bare, figures);
  return 0;
}

async function measureBare(): Promise<Figures> {
  const pair = new Pair();
  try {
    const figures = {
      name: "no tunnel",
      gbits: [await pair.gbits("outer", SECONDS)],
      residentMegabytes: 0,
      restPercent: 0,
    };
    const roundTripMillis = await pair.roundTrip("outer", PINGS);
    return { ...figures, freshMillis: roundTripMillis, roundTripMillis };
  } finally {
    pair.remove();
  }
}

/** Returns undefined where the subject is not installed. */
async function measure(name: string, start: Start): Promise<Figures | undefined> {
  const pair = new Pair();
  let tunnel: Tunnel | undefined;
  try {
    tunnel = await start(pair);
    await pair.roundTrip("inner", 20);
    const freshMillis = await pair.roundTrip("inner", PINGS);
    const restPercent = await tunnel.busyPercent(REST_SECONDS);
    const gbits: number[] = [];
    let residentMegabytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const load = pair.gbits("inner", SECONDS);
      await Bun.sleep((SECONDS - 1) * 1_000);
      residentMegabytes = Math.max(residentMegabytes, tunnel.residentMegabytes());
      gbits.push(await load);
    }
    const roundTripMillis = await pair.roundTrip("inner", PINGS);
    return { name, gbits, freshMillis, roundTripMillis, residentMegabytes, restPercent };
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  } finally {
    await tunnel?.stop();
    pair.remove();
  }
}

function print(bare: Figures, figures: readonly Figures[]): void {
  const yardstick = figures.find((one) => one.name === "wireguard-go");
  const row = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => (i ? cell.padStart(15) : cell.padEnd(30))).join(""));
  row(["", "Gbit/s", "x wireguard-go", "fresh rtt, ms", "rtt, ms", "above bare", "at rest %", "memory MB"]);
  for (const one of [bare, ...figures]) {
    const gbits = median(one.gbits);
    const isTunnel = one !== bare;
    row([
      one.name,
      gbits.toFixed(2),
      isTunnel && yardstick ? (gbits / median(yardstick.gbits)).toFixed(2) : "",
      one.freshMillis.toFixed(3),
      one.roundTripMillis.toFixed(3),
      isTunnel ? (one.roundTripMillis - bare.roundTripMillis).toFixed(3) : "",
      isTunnel ? one.restPercent.toFixed(2) : "",
      isTunnel ? one.residentMegabytes.toFixed(0) : "",
    ]);
  }
  console.log(
    "\nRound trips: median of an idle path, of a tunnel just up, and after the load. At rest: one end, in % of a core. Memory: resident, the larger end, under load.",
  );
}

if (import.meta.main) process.exit(await main());
