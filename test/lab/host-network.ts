/**
 * Hosts as they are before anybody set up a tunnel, with the addresses of the lab's plan:
 *
 *   client, other ── local ══ two links ══ inet ── remote
 *                                           └───── server
 *
 * The portals filter strictly by reverse path and forward nothing; what the tunnel needs, `up` has to do.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Endpoint, formatAddress, parseEndpoint } from "../../src/endpoint.ts";
import { FAMILIES, type Family, PLAN } from "./addresses.ts";
import type { HostAnswer, HostOrder } from "./host-agent.ts";
import { readLines } from "./lines.ts";
import { Namespaces, run, sweep, temporaryFolder } from "./namespaces.ts";
import { programCommand } from "./portals.ts";

export type HostPlace = "client" | "other" | "local" | "inet" | "remote" | "server";
const PLACES: readonly HostPlace[] = ["client", "other", "local", "inet", "remote", "server"];

const LINKS = [0, 1];
/** Ports that every host answers on. */
const PORTS = [22, 53, 443, 5000] as const;
/** Port of a session that stays open. */
const ECHO_PORT = 2222;
const TUNNEL = "nc0";
/** Time a state may take to come about: all take under 3 s on an idle machine. */
const TIMEOUT_MILLIS = 60_000;

/** The second host of the LAN. */
export const OTHER: Readonly<Record<Family, string>> = { 4: "192.168.50.3", 6: "fd50::3" };

const ROUTER = { "ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1 } as const;
const QUIET = { "ipv6/conf/all/accept_dad": 0, "ipv6/conf/default/accept_dad": 0 } as const;
const STRICT = { "ipv4/conf/all/rp_filter": 1, "ipv4/conf/default/rp_filter": 1 } as const;

export class HostNetwork {
  readonly #namespaces = new Namespaces();
  readonly #folder = temporaryFolder();
  readonly #agents = new Map<HostPlace, Agent>();
  readonly #sessions = new Map<HostPlace, string>();
  readonly #onExit = () => this.#namespaces.remove();

  /** @param clientHasRemoteAddress besides its own */
  static async create(clientHasRemoteAddress = false): Promise<HostNetwork> {
    sweep();
    const network = new HostNetwork();
    process.on("exit", network.#onExit);
    try {
      network.#build(clientHasRemoteAddress);
      await network.#startAgents(clientHasRemoteAddress);
    } catch (error) {
      await network.remove();
      throw error;
    }
    return network;
  }

  async remove(): Promise<void> {
    for (const place of ["local", "remote"] as const) await this.program(place, "down", TUNNEL);
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    this.#namespaces.remove();
    rmSync(this.#folder, { recursive: true, force: true });
    process.off("exit", this.#onExit);
  }

  ip(place: HostPlace, lines: readonly string[], family: Family = 4): void {
    this.#namespaces.ip(place, lines, `${family}`);
  }

  /** Returns who answered, and from where it was asked: "server 198.18.0.2". */
  async ask(place: HostPlace, protocol: "tcp" | "udp", host: string, port: number, from?: string): Promise<string> {
    return await this.#agent(place).order({ op: protocol, host, port, from });
  }

  /** Makes commands at a place be typed in a session that comes from the server to this address. */
  async openSession(place: HostPlace, address: string): Promise<void> {
    const port = await this.#agent("server").order({ op: "hold", host: address, port: ECHO_PORT });
    if (!(Number(port) > 0)) throw new Error(`no session with ${address}: ${port}`);
    const { server } = PLAN[address.includes(":") ? 6 : 4];
    this.#sessions.set(place, `${server} ${port} ${address} ${ECHO_PORT}`);
  }

  closeSession(place: HostPlace): void {
    this.#sessions.delete(place);
  }

  /** Returns what comes back of `text` over the session. */
  async say(text: string): Promise<string> {
    return await this.#agent("server").order({ op: "say", text });
  }

  /** True if all of a few echo requests are answered. */
  ping(place: HostPlace, to: string, from?: string): boolean {
    const source = from === undefined ? [] : ["-I", from];
    const command = ["ping", "-n", "-q", "-c", "3", "-i", "0.02", "-W", "10", ...source, to];
    return Bun.spawnSync(this.#namespaces.command(place, command)).exitCode === 0;
  }

  /** Runs `netcombiner` at a place, and gives what it printed. */
  async program(place: HostPlace, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
    const child = Bun.spawn(this.#namespaces.command(place, [...programCommand(), ...words]), {
      env: {
        PATH: process.env.PATH ?? "",
        NETCOMBINER_RUN_DIR: this.runDirectory(place),
        ...(this.#sessions.has(place) ? { SSH_CONNECTION: this.#sessions.get(place) } : {}),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, out, err };
  }

  /** Writes a configuration; gives its path. */
  configure(place: HostPlace, host: readonly string[], peers: readonly string[]): string {
    const path = join(this.#folder, `${place}.conf`);
    const key = "SharedKey = VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
    writeFileSync(path, ["[Host]", key, ...host, ...peers, ""].join("\n"), { mode: 0o600 });
    return path;
  }

  /** Runs `netcombiner up` at a place; throws with what it said unless it is up. */
  async up(place: HostPlace, host: readonly string[], peers: readonly string[]): Promise<string> {
    const { code, err } = await this.program(place, "up", TUNNEL, "-c", this.configure(place, host, peers));
    if (code !== 0) throw new Error(`up at ${place} failed with ${code}:\n${err}`);
    return err;
  }

  async down(place: HostPlace): Promise<void> {
    const { code, err } = await this.program(place, "down", TUNNEL);
    if (code !== 0) throw new Error(`down at ${place} failed with ${code}:\n${err}`);
  }

  /** Brings both portals up by `up` alone, and waits for their paths. */
  async upBoth(remote: readonly string[], local: readonly string[]): Promise<void> {
    await this.up("remote", [innerAddresses("innerRemote"), ...remote], ["[Peer]", "Name = all"]);
    await this.up("local", [innerAddresses("innerLocal"), ...local], LINKS.flatMap(linkSection));
    await this.untilPathsUp(LINKS.length);
  }

  async untilPathsUp(paths: number): Promise<void> {
    let seen = "";
    for (const end = performance.now() + TIMEOUT_MILLIS; performance.now() < end; await Bun.sleep(50)) {
      const { out } = await this.program("local", "show", TUNNEL, "--json");
      seen = out;
      const { links = [] } = out.startsWith("{") ? JSON.parse(out) : {};
      const states = links.flatMap((link: { paths: { state: string }[] }) => link.paths.map(({ state }) => state));
      if (states.filter((state: string) => state === "up").length === paths) return;
    }
    throw new Error(`${paths} paths do not come up: ${seen}`);
  }

  /** Returns everything that `up` might change: rules, routes, interfaces, addresses, firewall, kernel variables. */
  dump(place: HostPlace): string {
    return run(this.#namespaces.command(place, ["sh", "-c", DUMP]));
  }

  pidOf(place: HostPlace): Promise<number> {
    return this.program(place, "show", TUNNEL, "--json").then(({ out }) => JSON.parse(out).pid);
  }

  /** Waits until a process that is no child of ours has ended. */
  async untilGone(pid: number): Promise<void> {
    for (const end = performance.now() + TIMEOUT_MILLIS; performance.now() < end; await Bun.sleep(20)) {
      if (!existsSync(`/proc/${pid}`)) return;
    }
    throw new Error(`process ${pid} does not end`);
  }

  runDirectory(place: HostPlace): string {
    return join(this.#folder, place);
  }

  #agent(place: HostPlace): Agent {
    const agent = this.#agents.get(place);
    if (!agent) throw new Error(`nobody speaks at ${place}`);
    return agent;
  }

  #build(clientHasRemoteAddress: boolean): void {
    for (const place of PLACES) {
      this.#namespaces.add(place);
      this.#namespaces.sysctl(place, QUIET);
      mkdirSync(this.runDirectory(place), { recursive: true });
    }
    this.#namespaces.sysctl("inet", ROUTER);
    for (const place of ["local", "remote"]) this.#namespaces.sysctl(place, STRICT);
    this.ip("local", ["link add lan type bridge", "link set lan up"]);
    this.cable("client", "eth0", "local", "port0");
    this.cable("other", "eth0", "local", "port1");
    this.ip("local", ["link set port0 master lan", "link set port1 master lan"]);
    this.cable("inet", "rem", "remote", "eth0");
    this.cable("inet", "srv", "server", "eth0");
    for (const i of LINKS) this.cable("local", `wan${i}`, "inet", `wan${i}`);
    for (const family of FAMILIES) {
      this.#address(family);
      const { remote, hostBits } = PLAN[family];
      const lent = `addr add ${remote}/${hostBits} dev eth0${family === 6 ? " nodad" : ""}`;
      if (clientHasRemoteAddress) this.ip("client", [lent], family);
    }
  }

  #address(family: Family): void {
    const plan = PLAN[family];
    const add = (address: string, device: string) =>
      `addr add ${address}/${plan.networkBits} dev ${device}${family === 6 ? " nodad" : ""}`;
    const host = (place: HostPlace, address: string, router: string) =>
      this.ip(place, [add(address, "eth0"), `route add default via ${router}`], family);
    host("client", plan.client, plan.clientRouter);
    host("other", OTHER[family], plan.clientRouter);
    host("remote", plan.remote, plan.remoteRouter);
    host("server", plan.server, plan.serverRouter);
    this.ip("local", [add(plan.clientRouter, "lan")], family);
    this.ip("inet", [add(plan.remoteRouter, "rem"), add(plan.serverRouter, "srv")], family);
    for (const i of LINKS) {
      const way = `route add default via ${plan.wanRouter(i)} dev wan${i} metric ${100 + i}`;
      this.ip("local", [add(plan.wan(i), `wan${i}`), way], family);
      this.ip("inet", [add(plan.wanRouter(i), `wan${i}`)], family);
    }
  }

  /** Connects two places by a pair of interfaces. */
  cable(a: HostPlace, nameA: string, b: HostPlace, nameB: string): void {
    const peer = `peer name ${nameB} netns ${this.#namespaces.nameOf(b)}`;
    this.ip(a, [`link add ${nameA} type veth ${peer}`, `link set ${nameA} up`]);
    this.ip(b, [`link set ${nameB} up`]);
  }

  async #startAgents(clientHasRemoteAddress: boolean): Promise<void> {
    const speaking = PLACES.filter((place) => place !== "inet");
    for (const place of speaking) this.#agents.set(place, new Agent(this.#namespaces, place));
    await Promise.all(
      speaking.map(async (name) => {
        const addresses = FAMILIES.flatMap((family) => addressesOf(name, family, clientHasRemoteAddress));
        const answer = await this.#agent(name).order({
          op: "serve",
          name,
          ports: PORTS,
          addresses,
          echoPort: ECHO_PORT,
        });
        if (answer !== "serving") throw new Error(`${name} does not serve: ${answer}`);
      }),
    );
  }
}

/** Returns the local portal's address on a link, in its shortest form. */
export function linkAddress(family: Family, i: number): string {
  return formatAddress(parseEndpoint(PLAN[family].wan(i)) as Endpoint);
}

/** Returns the addresses a host is asked at. */
function addressesOf(place: HostPlace, family: Family, clientHasRemoteAddress: boolean): string[] {
  const { client, remote, server, wan } = PLAN[family];
  if (place === "client") return clientHasRemoteAddress ? [client, remote] : [client];
  if (place === "other") return [OTHER[family]];
  if (place === "local") return LINKS.map(wan);
  return [place === "remote" ? remote : server];
}

function innerAddresses(which: "innerLocal" | "innerRemote"): string {
  return `Address = ${FAMILIES.map((family) => `${PLAN[family][which]}/${PLAN[family].networkBits}`).join(", ")}`;
}

function linkSection(i: number): string[] {
  return ["[Peer]", `Name = wan${i}`, `LocalInterface = wan${i}`, `RemoteHost = ${PLAN[4].remote}`];
}

/** Kernel variables that change by themselves are left out. */
const DUMP = `
for f in 4 6; do echo "# rules $f"; ip -d -$f rule; echo "# routes $f"; ip -d -$f route show table all; done
echo "# links"; ip link; echo "# addresses"; ip address; echo "# proxies"; ip neigh show proxy
echo "# firewall"; nft list ruleset
echo "# variables"; find /proc/sys/net -type f -readable ! -name '*conntrack_count' ! -name stable_secret ! -path '*/core/*' |
  sort | xargs grep -s "" || true`;

type Order = HostOrder extends infer T ? (T extends HostOrder ? Omit<T, "id"> : never) : never;

/** The process that speaks for one host. */
class Agent {
  readonly #child;
  readonly #waiting = new Map<number, (text: string) => void>();
  #orders = 0;

  constructor(namespaces: Namespaces, place: HostPlace) {
    const command = [process.execPath, join(import.meta.dir, "host-agent.ts")];
    this.#child = Bun.spawn(namespaces.command(place, command), { stdio: ["pipe", "pipe", "inherit"] });
    void readLines(this.#child.stdout, (line) => {
      const { id, text } = JSON.parse(line) as HostAnswer;
      this.#waiting.get(id)?.(text);
    });
  }

  order(order: Order): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const id = this.#orders++;
    this.#waiting.set(id, resolve);
    this.#child.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    this.#child.stdin.flush();
    return promise;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }
}
