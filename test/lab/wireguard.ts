/** Tunnels of Debian's wireguard-go between two places of a topology, to run portals through, and to run through portals. */
import { existsSync } from "node:fs";
import { run } from "./namespaces.ts";
import type { Place, Topology } from "./topology.ts";

const START_MILLIS = 8_000;
const STOP_MILLIS = 3_000;

export interface WireGuardEnd {
  readonly place: Place;
  /** Ours inside the tunnel. */
  readonly address: string;
  /** What the peer's packets may come from, and ours may go to. */
  readonly allowed: readonly string[];
  readonly port?: number;
  /** Where the other end is; undefined at the end that waits. */
  readonly endpoint?: string;
  readonly mark?: number;
}

export class WireGuardTunnel {
  readonly names: readonly [string, string];
  readonly #children;

  private constructor(topology: Topology, names: readonly [string, string], ends: readonly WireGuardEnd[]) {
    this.names = names;
    this.#children = ends.map(({ place }, i) =>
      Bun.spawn(topology.command(place, ["wireguard-go", "-f", names[i] as string]), {
        env: { PATH: process.env.PATH ?? "", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: "1" },
        stdio: ["ignore", "ignore", "ignore"],
      }),
    );
  }

  /** @param label tells the tunnels of a test apart; names are those of interfaces, and of sockets that all namespaces share */
  static async start(
    topology: Topology,
    label: string,
    mtu: number,
    ends: readonly [WireGuardEnd, WireGuardEnd],
  ): Promise<WireGuardTunnel> {
    const tunnel = new WireGuardTunnel(topology, [`${label}a${process.pid}`, `${label}b${process.pid}`], ends);
    try {
      const keys = ends.map(() => run(["wg", "genkey"]).trim());
      for (const [i, end] of ends.entries()) {
        const name = tunnel.names[i] as string;
        await untilExists(`/var/run/wireguard/${name}.sock`);
        const peer = run(["wg", "pubkey"], keys[1 - i]).trim();
        run(topology.command(end.place, ["wg", "set", name, ...settings(end, peer)]), keys[i]);
        topology.ip(end.place, [`addr add ${end.address} dev ${name}`, `link set ${name} mtu ${mtu} up`]);
      }
    } catch (error) {
      await tunnel.stop();
      throw error;
    }
    return tunnel;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill();
    await Promise.race([Promise.all(this.#children.map((child) => child.exited)), Bun.sleep(STOP_MILLIS)]);
  }
}

function settings({ port, mark, endpoint, allowed }: WireGuardEnd, peer: string): string[] {
  return [
    ...["private-key", "/dev/stdin"],
    ...(port === undefined ? [] : ["listen-port", `${port}`]),
    ...(mark === undefined ? [] : ["fwmark", `${mark}`]),
    ...["peer", peer, "allowed-ips", allowed.join(",")],
    ...(endpoint === undefined ? [] : ["endpoint", endpoint]),
  ];
}

async function untilExists(path: string): Promise<void> {
  for (const end = performance.now() + START_MILLIS; performance.now() < end; await Bun.sleep(20))
    if (existsSync(path)) return;
  throw new Error(`${path} did not appear`);
}
