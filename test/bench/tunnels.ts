/** The tunnels under comparison, each started at both ends of a pair. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SecurityName } from "../../src/portal/settings.ts";
import { run, temporaryFolder } from "../lab/namespaces.ts";
import { programCommand } from "../lab/portals.ts";
import { type End, INNER, OUTER, type Pair } from "./pair.ts";

const ENDS: readonly End[] = ["a", "b"];
/** USER_HZ: ticks of /proc/<pid>/stat in a second on every Linux. */
const TICKS_PER_SECOND = 100;
const START_MILLIS = 8_000;
const WIREGUARD_PORT = 51_820;

export class Tunnel {
  readonly pids: readonly number[];
  readonly #stop: () => Promise<void>;

  constructor(pids: readonly number[], stop: () => Promise<void>) {
    this.pids = pids;
    this.#stop = stop;
  }

  /** Processor time of the busier end over `seconds`, in percent of a core. */
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

/** Both portals from configuration files; b listens. */
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

/** Debian's wireguard-go, set up with `wg`. */
export async function startWireguardGo(pair: Pair): Promise<Tunnel> {
  const names: Readonly<Record<End, string>> = { a: `wga${process.pid}`, b: `wgb${process.pid}` };
  const keys = ENDS.map(() => run(["wg", "genkey"]).trim());
  const children = ENDS.map((end) =>
    Bun.spawn(pair.command(end, ["wireguard-go", "-f", names[end]]), {
      env: { PATH: process.env.PATH ?? "", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: "1" },
      stdio: ["ignore", "ignore", "ignore"],
    }),
  );
  const stop = async () => {
    for (const child of children) child.kill();
    await Promise.race([Promise.all(children.map((child) => child.exited)), Bun.sleep(3_000)]);
  };
  try {
    for (const [i, end] of ENDS.entries()) {
      await untilExists(`/var/run/wireguard/${names[end]}.sock`);
      const other: End = end === "a" ? "b" : "a";
      const peer = run(["wg", "pubkey"], keys[1 - i]).trim();
      const key = "/dev/stdin";
      const flags = ["set", names[end], "private-key", key, "listen-port", `${WIREGUARD_PORT}`];
      const endpoint = `${OUTER[other]}:${WIREGUARD_PORT}`;
      const rest = ["peer", peer, "allowed-ips", `${INNER[other]}/32`, "endpoint", endpoint];
      pair.run(end, ["wg", ...flags, ...rest], keys[i]);
      pair.ip(end, [`addr add ${INNER[end]}/24 dev ${names[end]}`, `link set ${names[end]} up`]);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return await started(
    pair,
    children.map((child) => child.pid),
    stop,
  );
}

/** A tunnel once pings cross it. */
async function started(pair: Pair, pids: readonly number[], stop: () => Promise<void>): Promise<Tunnel> {
  for (const end = performance.now() + START_MILLIS; performance.now() < end; await Bun.sleep(100)) {
    const ping = Bun.spawnSync(pair.command("a", ["ping", "-n", "-c", "1", "-W", "0.3", INNER.b]));
    if (ping.exitCode === 0) return new Tunnel(pids, stop);
  }
  await stop();
  throw new Error("no packet crossed the tunnel");
}

async function untilExists(path: string): Promise<void> {
  for (const end = performance.now() + START_MILLIS; performance.now() < end; await Bun.sleep(20))
    if (existsSync(path)) return;
  throw new Error(`${path} did not appear`);
}
