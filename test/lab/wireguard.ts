/** Tunnels of Debian's wireguard-go between two places: to run portals through, to run through portals, and to compare with. */
import { existsSync } from "node:fs";
import { run } from "./namespaces.ts";

const START_MILLIS = 60_000;
const STOP_MILLIS = 15_000;

/** Namespaces by place. */
export interface Places<P extends string> {
  command(place: P, command: readonly string[]): string[];
  ip(place: P, lines: readonly string[]): void;
}

export interface WireGuardEnd<P extends string> {
  readonly place: P;
  /** Ours inside the tunnel. */
  readonly address: string;
  /** Networks that the peer's packets may come from, and ours may go to. */
  readonly allowed: readonly string[];
  readonly port?: number;
  /** Where the other end is; undefined at the end that waits. */
  readonly endpoint?: string;
  readonly mark?: number;
}

export class WireGuardTunnel {
  readonly names: readonly [string, string];
  readonly #children;

  private constructor(names: readonly [string, string], commands: readonly string[][]) {
    this.names = names;
    this.#children = commands.map((command) =>
      Bun.spawn(command, {
        env: { PATH: process.env.PATH ?? "", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: "1" },
        stdio: ["ignore", "ignore", "ignore"],
      }),
    );
  }

  /** @param label tells the tunnels of a test apart; names are those of interfaces, and of sockets that all namespaces share */
  static async start<P extends string>(
    places: Places<P>,
    label: string,
    mtu: number,
    ends: readonly [WireGuardEnd<P>, WireGuardEnd<P>],
  ): Promise<WireGuardTunnel> {
    const names = [`${label}a${process.pid}`, `${label}b${process.pid}`] as const;
    const commands = ends.map(({ place }, i) => places.command(place, ["wireguard-go", "-f", names[i] as string]));
    const tunnel = new WireGuardTunnel(names, commands);
    try {
      const keys = ends.map(() => run(["wg", "genkey"]).trim());
      for (const [i, end] of ends.entries()) {
        const name = tunnel.names[i] as string;
        await untilExists(`/var/run/wireguard/${name}.sock`);
        const peer = run(["wg", "pubkey"], keys[1 - i]).trim();
        run(places.command(end.place, ["wg", "set", name, ...settings(end, peer)]), keys[i]);
        places.ip(end.place, [`addr add ${end.address} dev ${name}`, `link set ${name} mtu ${mtu} up`]);
      }
    } catch (error) {
      await tunnel.stop();
      throw error;
    }
    return tunnel;
  }

  get pids(): number[] {
    return this.#children.map((child) => child.pid);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill();
    await Promise.race([Promise.all(this.#children.map((child) => child.exited)), Bun.sleep(STOP_MILLIS)]);
  }
}

function settings({ port, mark, endpoint, allowed }: Omit<WireGuardEnd<string>, "place">, peer: string): string[] {
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
