/** The tunnels under comparison, each started at both ends of a pair. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SecurityName } from "../../src/portal/settings.ts";
import { run, temporaryFolder } from "../lab/namespaces.ts";
import { programCommand } from "../lab/portals.ts";
import { WireGuardTunnel } from "../lab/wireguard.ts";
import { type End, INNER, OUTER, type Pair } from "./pair.ts";

const ENDS: readonly End[] = ["a", "b"];
/** USER_HZ: ticks of /proc/<pid>/stat in a second on every Linux. */
const TICKS_PER_SECOND = 100;
const START_MILLIS = 8_000;
const WIREGUARD_PORT = 51_820;
const WIREGUARD_MTU = 1_420;

export class Tunnel {
  readonly pids: readonly number[];
  readonly #stop: () => Promise<void>;

  constructor(pids: readonly number[], stop: () => Promise<void>) {
    this.pids = pids;
    this.#stop = stop;
  }

  /** Returns the processor time of the busier end over `seconds`, in percent of a core. */
  async busyPercent(seconds: number): Promise<number> {
    const before = this.pids.map(ticks);
    await Bun.sleep(seconds * 1_000);
    const used = this.pids.map((pid, i) => ticks(pid) - (before[i] ?? 0));
    return (100 * Math.max(...used)) / TICKS_PER_SECOND / seconds;
  }

  residentMegabytes(): number {
    const sizes = this.pids.map((pid) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    );
    return Math.max(...sizes) / 1_024;
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}

function ticks(pid: number): number {
  // The name, in brackets, may hold spaces; user and system time are the 14th and 15th fields.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Starts both portals from configuration files; b listens. */
export async function startNetcombiner(pair: Pair, security: SecurityName): Promise<Tunnel> {
  const directory = temporaryFolder();
  const key = run([...programCommand(), "genpsk"]).trim();
  const children = ENDS.map((end) => {
    const path = join(directory, `${end}.conf`);
    const host = `[Host]\nSharedKey = ${key}\nSecurity = ${security}\nAddress = ${INNER[end]}/24\nMTU = 1400\n`;
    const peer = end === "a" ? `[Peer]\nName = only\nRemoteHost = ${OUTER.b}\n` : "[Peer]\nName = any\n";
    writeFileSync(path, `${host}\n${peer}`, { mode: 0o600 });
    return Bun.spawn(pair.command(end, [...programCommand(), "run", "nc0", "-c", path]), {
      env: { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: join(directory, end) },
      stdio: ["ignore", "ignore", "ignore"],
    });
  });
  const stop = async () => {
    for (const child of children) child.kill();
    await Promise.race([Promise.all(children.map((child) => child.exited)), Bun.sleep(3_000)]);
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  return await started(
    pair,
    children.map((child) => child.pid),
    stop,
  );
}

/** Starts Debian's wireguard-go, set up with `wg`, with its own MTU. */
export async function startWireguardGo(pair: Pair): Promise<Tunnel> {
  const endOf = (place: End, other: End) => ({
    place,
    address: `${INNER[place]}/24`,
    allowed: [`${INNER[other]}/32`],
    port: WIREGUARD_PORT,
    endpoint: `${OUTER[other]}:${WIREGUARD_PORT}`,
  });
  const tunnel = await WireGuardTunnel.start(pair, "wg", WIREGUARD_MTU, [endOf("a", "b"), endOf("b", "a")]);
  return await started(pair, tunnel.pids, () => tunnel.stop());
}

/** Returns the tunnel once pings cross it. */
async function started(pair: Pair, pids: readonly number[], stop: () => Promise<void>): Promise<Tunnel> {
  for (const end = performance.now() + START_MILLIS; performance.now() < end; await Bun.sleep(100)) {
    const ping = Bun.spawnSync(pair.command("a", ["ping", "-n", "-c", "1", "-W", "0.3", INNER.b]));
    if (ping.exitCode === 0) return new Tunnel(pids, stop);
  }
  await stop();
  throw new Error("no packet crossed the tunnel");
}
