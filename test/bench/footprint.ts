/**
 * `npm run footprint`: what a compiled portal takes without doing anything. How long `netcombiner nc0` takes until the interface
 * is up, and the memory of two portals that are connected: at rest, and at rest again after a load.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, temporaryFolder } from "../lab/namespaces.ts";
import { programCommand } from "../lab/portals.ts";
import { median } from "../support/statistics.ts";
import { Pair } from "./pair.ts";
import { startNetcombiner } from "./tunnels.ts";

const STARTS = 11;
const REST_SECONDS = 5;
const LOAD_SECONDS = 4;
/** After a load: as long as the runtime takes to give back what it no longer needs. */
const COOL_SECONDS = 30;

/** Megabytes (10^6) of one process. */
interface Memory {
  readonly resident: number;
  /** Memory that is shared with other processes counts in part: several portals share the program. */
  readonly proportional: number;
  /** Not backed by a file: what the system cannot read again from the disk. */
  readonly anonymous: number;
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0 || !existsSync("/dev/net/tun")) {
    console.error("This makes network namespaces: it needs root and /dev/net/tun.");
    return 77;
  }
  const starts = measureStarts();
  const sorted = [...starts].sort((a, b) => a - b);
  const spread = `fastest ${sorted[0]?.toFixed(0)}, slowest ${sorted.at(-1)?.toFixed(0)}`;
  console.log(
    `netcombiner nc0, until the interface is up: median ${median(starts).toFixed(0)} ms of ${STARTS} (${spread})`,
  );
  await measureMemory();
  return 0;
}

/** Returns the milliseconds from starting the command to its end, which is when the tunnel runs. */
function measureStarts(): number[] {
  const pair = new Pair();
  const folder = temporaryFolder();
  const configuration = join(folder, "nc0.conf");
  const key = run([...programCommand(), "genkey"]).trim();
  writeFileSync(configuration, `[Host]\nSharedKey = ${key}\nAddress = 10.89.0.1/24\n\n[Peer]\n`, { mode: 0o600 });
  const env = { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: folder };
  try {
    return Array.from({ length: STARTS }, () => {
      const command = pair.command("a", [...programCommand(), "nc0", "-c", configuration]);
      const started = Bun.nanoseconds();
      const { success, stderr } = Bun.spawnSync(command, { env, stdin: "ignore" });
      const millis = (Bun.nanoseconds() - started) / 1e6;
      if (!success) throw new Error(`netcombiner nc0: ${stderr}`);
      Bun.spawnSync(pair.command("a", [...programCommand(), "down", "nc0"]), { env });
      // The interface goes with its process, after the answer.
      while (Bun.spawnSync(pair.command("a", ["ip", "link", "show", "nc0"])).success) Bun.sleepSync(20);
      return millis;
    });
  } finally {
    pair.remove();
  }
}

async function measureMemory(): Promise<void> {
  const pair = new Pair();
  const tunnel = await startNetcombiner(pair, "blake2s");
  try {
    console.log("\nmemory of the larger end, MB       resident  proportional  anonymous");
    await Bun.sleep(REST_SECONDS * 1_000);
    print("at rest, connected", tunnel.pids.map(memoryOf));
    const load = pair.gbits("inner", LOAD_SECONDS);
    await Bun.sleep((LOAD_SECONDS - 1) * 1_000);
    print("under load", tunnel.pids.map(memoryOf));
    await load;
    await Bun.sleep(COOL_SECONDS * 1_000);
    print(`${COOL_SECONDS} s after it`, tunnel.pids.map(memoryOf));
  } finally {
    await tunnel.stop();
    pair.remove();
  }
}

function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1_024) / 1e6;
  return { resident: field("Rss"), proportional: field("Pss"), anonymous: field("Anonymous") };
}

function print(name: string, ends: readonly Memory[]): void {
  const most = (key: keyof Memory) => Math.max(...ends.map((end) => end[key])).toFixed(1);
  console.log(
    `${name.padEnd(32)} ${most("resident").padStart(10)} ${most("proportional").padStart(13)} ${most("anonymous").padStart(10)}`,
  );
}

if (import.meta.main) process.exit(await main());
