/**
 * The network of the dissertation's tests (figures 4.1 and 4.3) in namespaces:
 *
 *   client ── local portal ══ N emulated links ══ internet ── remote portal
 *                                                    └──────── server
 *
 * The client's own network goes through the tunnel; for each link it has one more address whose traffic takes that link
 * alone, so that the same flow can be measured without the tunnel. The remote portal has one interface. On request the
 * client also holds the remote portal's address, with the routes and rules of section 3.3.
 */
import type { Micros } from "../../src/clock.ts";
import type { LinkShape } from "../sim/link-model.ts";
import { FAMILIES, PLAN, SHARED_SUBNET } from "./addresses.ts";
import { EmulatorProcess } from "./emulator-process.ts";
import type { EmulatedCable, EmulatorCounters } from "./emulator-protocol.ts";
import { type InnerControl, whileAllowed } from "./inner-control.ts";
import { Namespaces, sweep } from "./namespaces.ts";

export const PLACES = ["client", "local", "inet", "remote", "server"] as const;
export type Place = (typeof PLACES)[number];

/** Both directions of one link; `down` is towards the local portal, `up` away from it, `both` the rest. */
export interface LinkPlan {
  readonly both?: Partial<LinkShape>;
  readonly down?: Partial<LinkShape>;
  readonly up?: Partial<LinkShape>;
}

export interface TopologyPlan {
  readonly links: readonly LinkPlan[];
  readonly seed?: number;
  readonly clientHoldsRemoteAddress?: boolean;
  /** All links lie on one subnet with one router (section 3.3.3); IPv4 only. */
  readonly hasSharedSubnet?: boolean;
  /** One-way delay between the internet and the server. */
  readonly serverDelay?: Micros;
  /** Congestion control of all hosts; default: CUBIC. */
  readonly innerControl?: InnerControl;
}

/** As `tc netem` has it; also the length of most routers' queues. */
const DEFAULT_QUEUE = 1_000;
const TUNNEL_TABLE = 50;
const TO_CLIENT_TABLE = 21;
const TO_TUNNEL_TABLE = 19;
const LINK_TABLE = 100;
const PORTAL_PORT = 4725;
const SSH_PORT = 22;

export class Topology {
  readonly links: number;
  readonly #namespaces = new Namespaces();
  readonly #plan: TopologyPlan;
  #emulator: EmulatorProcess | undefined;
  readonly #onExit = () => this.#namespaces.remove();

  private constructor(plan: TopologyPlan) {
    this.#plan = plan;
    this.links = plan.links.length;
  }

  static async create(plan: TopologyPlan): Promise<Topology> {
    sweep();
    const topology = new Topology(plan);
    process.on("exit", topology.#onExit);
    endOnSignals();
    try {
      await topology.#build();
    } catch (error) {
      await topology.remove();
      throw error;
    }
    return topology;
  }

  async remove(): Promise<void> {
    await this.#emulator?.stop();
    this.#namespaces.remove();
    process.off("exit", this.#onExit);
  }

  /** Returns the command that runs `command` at a place. */
  command(place: Place, command: readonly string[]): string[] {
    return this.#namespaces.command(place, command);
  }

  ip(place: Place, lines: readonly string[]): void {
    this.#namespaces.ip(place, lines);
  }

  /** Changes a link; fields not named stay. */
  async change(link: number, { both = {}, down = {}, up = {} }: LinkPlan): Promise<void> {
    await this.#running.change(link, { ...both, ...up }, 0);
    await this.#running.change(link, { ...both, ...down }, 1);
  }

  /** Makes the links what the list says and everything else as new; cables beyond the list are cut. */
  async reshape(links: readonly LinkPlan[]): Promise<void> {
    for (let i = 0; i < this.links; i++) {
      const link = links[i];
      if (!link) {
        await this.cut(i);
        continue;
      }
      const [up, down] = shapesOf(link);
      await this.change(i, { up, down });
      await this.restore(i);
    }
  }

  async cut(link: number, direction?: "down" | "up"): Promise<void> {
    await this.#running.cut(link, direction && (direction === "up" ? 0 : 1));
  }

  async restore(link: number, direction?: "down" | "up"): Promise<void> {
    await this.#running.restore(link, direction && (direction === "up" ? 0 : 1));
  }

  /** Forgeries behind a link, `up` towards the remote portal; see attacker.ts. */
  async attack(link: number, direction: "down" | "up", perSecond: number, count: number): Promise<void> {
    await this.#running.attack(link, direction === "up" ? 0 : 1, perSecond, count);
  }

  async counters(): Promise<EmulatorCounters> {
    return await this.#running.counters();
  }

  /** Sends the client's traffic into the tunnel; call it whenever `nc0` was made anew at a portal. */
  routeTunnel(place: "local" | "remote"): void {
    const holds = this.#plan.clientHoldsRemoteAddress;
    for (const family of FAMILIES) {
      const { remote, hostBits, clientNetwork } = PLAN[family];
      const routes =
        place === "local"
          ? [`route replace default dev nc0 table ${TUNNEL_TABLE}`]
          : [
              `route replace ${clientNetwork} dev nc0`,
              ...(holds ? [`route replace ${remote}/${hostBits} dev nc0 table ${TO_TUNNEL_TABLE}`] : []),
            ];
      this.#namespaces.ip(place, routes, `${family}`);
    }
  }

  get #running(): EmulatorProcess {
    if (!this.#emulator) throw new Error("the emulator does not run");
    return this.#emulator;
  }

  async #build(): Promise<void> {
    const { innerControl = "cubic", serverDelay } = this.#plan;
    whileAllowed(innerControl, () => {
      for (const place of PLACES) {
        this.#namespaces.add(place);
        this.#namespaces.sysctl(place, { ...SYSCTLS, "ipv4/tcp_congestion_control": innerControl });
      }
    });
    this.#cable("client", "eth0", "local", "lan");
    this.#cable("inet", "rem", "remote", "eth0");
    if (serverDelay === undefined) this.#cable("inet", "srv", "server", "eth0");
    await this.#emulate();
    if (serverDelay !== undefined) this.#raiseServerLine();
    this.#addEdges();
    if (this.#plan.hasSharedSubnet) this.#addSharedLinks();
    else for (let i = 0; i < this.links; i++) this.#addLink(i);
    if (this.#plan.clientHoldsRemoteAddress) this.#lendRemoteAddress();
  }

  #cable(a: Place, nameA: string, b: Place, nameB: string): void {
    const peer = `peer name ${nameB} netns ${this.#namespaces.nameOf(b)}`;
    this.#namespaces.ip(a, [`link add ${nameA} type veth ${peer}`, `link set ${nameA} up`]);
    this.#namespaces.ip(b, [`link set ${nameB} up`]);
  }

  async #emulate(): Promise<void> {
    const { links, seed = 1, serverDelay } = this.#plan;
    const end = (place: Place, device: string) => ({ namespace: this.#namespaces.nameOf(place), interface: device });
    const cables: EmulatedCable[] = links.map((link, i) => ({
      ends: [end("local", `wan${i}`), end("inet", `wan${i}`)],
      shapes: shapesOf(link),
      seed: 1_000 * seed + i,
    }));
    if (serverDelay !== undefined) {
      const shape = { delay: serverDelay };
      cables.push({ ends: [end("inet", "srv"), end("server", "eth0")], shapes: [shape, shape], seed: 0 });
    }
    this.#emulator = await EmulatorProcess.start(cables);
  }

  /** Raises the server's line when it has a delay: an emulated cable. */
  #raiseServerLine(): void {
    for (const [place, device] of [
      ["inet", "srv"],
      ["server", "eth0"],
    ] as const)
      this.#namespaces.ip(place, [`link set ${device} txqueuelen 5000`, `link set ${device} up`]);
  }

  #addEdges(): void {
    for (const family of FAMILIES) {
      const plan = PLAN[family];
      const { networkBits: bits } = plan;
      const add = (address: string, device: string) => `addr add ${address}/${bits} dev ${device}${nodad(family)}`;
      const ip = (place: Place, lines: readonly string[]) => this.#namespaces.ip(place, lines, `${family}`);
      ip("client", [add(plan.client, "eth0"), `route add default via ${plan.clientRouter}`]);
      ip("local", [
        add(plan.clientRouter, "lan"),
        // Nothing may leave beside the tunnel while it is away.
        `route add blackhole default metric 9999 table ${TUNNEL_TABLE}`,
        `rule add from ${plan.clientNetwork} iif lan table ${TUNNEL_TABLE} priority ${TUNNEL_TABLE}`,
      ]);
      ip("inet", [add(plan.remoteRouter, "rem"), add(plan.serverRouter, "srv")]);
      ip("remote", [add(plan.remote, "eth0"), `route add default via ${plan.remoteRouter}`]);
      ip("server", [add(plan.server, "eth0"), `route add default via ${plan.serverRouter}`]);
      ip("inet", [`route add ${plan.clientNetwork} via ${plan.remote}`]);
    }
  }

  #addLink(i: number): void {
    const device = `wan${i}`;
    const macs = { local: macOf(i, 2), inet: macOf(i, 1) };
    for (const place of ["local", "inet"] as const)
      this.#namespaces.ip(place, [
        `link set ${device} address ${macs[place]}`,
        // The emulator's queue is the link's; this one only has to be long enough never to be the narrow place.
        `link set ${device} txqueuelen 5000`,
        `link set ${device} up`,
      ]);
    for (const family of FAMILIES) {
      const plan = PLAN[family];
      const [own, router, direct] = [plan.wan(i), plan.wanRouter(i), plan.direct(i)];
      const table = LINK_TABLE + i;
      const ip = (place: Place, lines: readonly string[]) => this.#namespaces.ip(place, lines, `${family}`);
      ip("local", [
        `addr add ${own}/${plan.networkBits} dev ${device}${nodad(family)}`,
        `neigh replace ${router} lladdr ${macs.inet} dev ${device} nud permanent`,
        `route add default via ${router} dev ${device} table ${table}`,
        `route add default via ${router} dev ${device} metric ${table}`,
        `rule add from ${own} table ${table} priority ${table}`,
        `rule add from ${direct} iif lan table ${table} priority ${table}`,
        `route add ${direct}/${plan.hostBits} dev lan`,
      ]);
      ip("inet", [
        `addr add ${router}/${plan.networkBits} dev ${device}${nodad(family)}`,
        `neigh replace ${own} lladdr ${macs.local} dev ${device} nud permanent`,
        `route add ${direct}/${plan.hostBits} via ${own} dev ${device}`,
      ]);
      ip("client", [`addr add ${direct}/${plan.hostBits} dev eth0${nodad(family)}`]);
    }
  }

  #addSharedLinks(): void {
    this.#namespaces.ip("inet", [
      "link add lanes type bridge",
      "link set lanes up",
      `addr add ${SHARED_SUBNET.router}/24 dev lanes`,
    ]);
    // Against the "ARP flux" of section 3.3.3.
    this.#namespaces.sysctl("local", { "ipv4/conf/all/arp_announce": 1, "ipv4/conf/all/arp_ignore": 1 });
    for (let i = 0; i < this.links; i++) {
      const device = `wan${i}`;
      this.#namespaces.ip("inet", [`link set ${device} master lanes`, `link set ${device} up`]);
      this.#namespaces.ip("local", [
        `link set ${device} up`,
        `addr add ${SHARED_SUBNET.wan(i)}/24 dev ${device}`,
        `route add default via ${SHARED_SUBNET.router} dev ${device} metric ${LINK_TABLE + i}`,
      ]);
    }
  }

  /** Sends everything at the remote portal but the tunnel's own packets and SSH to the client (section 3.3). */
  #lendRemoteAddress(): void {
    // To answer ARP for an address, Linux wants its route to be local or, as here, another interface's with proxy ARP.
    this.#namespaces.sysctl("remote", { "ipv4/conf/eth0/proxy_arp": 1, "ipv4/neigh/eth0/proxy_delay": 0 });
    for (const family of FAMILIES) {
      const { remote, hostBits } = PLAN[family];
      const ip = (place: Place, lines: readonly string[]) => this.#namespaces.ip(place, lines, `${family}`);
      ip("remote", [
        "rule add from all table local priority 20",
        "rule del priority 0",
        ...["tcp", "udp"].map((protocol) => toPort(remote, protocol, "dport", PORTAL_PORT)),
        ...["tcp", "udp"].map((protocol) => toPort(remote, protocol, "sport", PORTAL_PORT)),
        toPort(remote, "tcp", "dport", SSH_PORT),
        // Neighbours answer to this address; the client has no use for what they say.
        ...(family === 6 ? [`rule add from ${remote}/64 to ${remote} ipproto ipv6-icmp table local priority 1`] : []),
        `rule add to ${remote} table ${TO_TUNNEL_TABLE} priority ${TO_TUNNEL_TABLE}`,
      ]);
      ip("local", [
        `route add ${remote}/${hostBits} dev lan table ${TO_CLIENT_TABLE}`,
        `rule add to ${remote} iif nc0 table ${TO_CLIENT_TABLE} priority ${TO_CLIENT_TABLE}`,
        `rule add from ${remote} iif lan table ${TUNNEL_TABLE} priority 20`,
      ]);
      ip("client", [`addr add ${remote}/${hostBits} dev eth0${nodad(family)}`]);
    }
  }
}

const SYSCTLS = {
  "ipv4/ip_forward": 1,
  "ipv6/conf/all/forwarding": 1,
  "ipv4/conf/all/rp_filter": 0,
  "ipv4/conf/default/rp_filter": 0,
  "ipv6/conf/all/accept_dad": 0,
  "ipv6/conf/default/accept_dad": 0,
  // A route that TCP remembers from one transfer would decide the next one's start.
  "ipv4/tcp_no_metrics_save": 1,
} as const;

function shapesOf({ both = {}, down = {}, up = {} }: LinkPlan): [Partial<LinkShape>, Partial<LinkShape>] {
  const shape = { ...CLEAN, ...both };
  return [
    { ...shape, ...up },
    { ...shape, ...down },
  ];
}

/** Shape of a link unless its plan says otherwise; complete, so that nothing stays from an earlier test. */
const CLEAN: Partial<LinkShape> = {
  delay: 0,
  jitter: 0,
  loss: 0,
  duplicate: 0,
  trace: [],
  queuePackets: DEFAULT_QUEUE,
  mtu: Number.POSITIVE_INFINITY,
};

function toPort(address: string, protocol: string, side: "dport" | "sport", port: number): string {
  return `rule add to ${address} ipproto ${protocol} ${side} ${port} table local priority 1`;
}

function macOf(link: number, host: number): string {
  return `02:6e:63:00:${link.toString(16).padStart(2, "0")}:0${host}`;
}

function nodad(family: 4 | 6): string {
  return family === 6 ? " nodad" : "";
}

let endsOnSignals = false;

/** Ends the process on a signal through `exit`, whose listeners remove the namespaces. */
function endOnSignals(): void {
  if (endsOnSignals) return;
  endsOnSignals = true;
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}
