/**
 * Portals as a user runs them: the program, started from a configuration file inside a namespace. NETCOMBINER_BIN names
 * another binary; without any the program runs from its source.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { askControl } from "../../src/daemon/control/client.ts";
import type { TunnelReport } from "../../src/monitor/tunnel-report.ts";
import type { TunnelSnapshot } from "../../src/portal/snapshot.ts";
import { type Family, PLAN } from "./addresses.ts";
import { readLines } from "./lines.ts";
import { run, temporaryFolder } from "./namespaces.ts";
import type { Topology } from "./topology.ts";

export type PortalPlace = "local" | "remote";

/** One section of a configuration: keys as in the file; undefined leaves a key out. */
export type Section = Readonly<Record<string, string | number | undefined>>;

export interface PortalPlan {
  readonly host?: Section;
  readonly peers: readonly Section[];
}

const INTERFACE = "nc0";
/** Time to end in good order before it is killed: enough for a machine that gives it a twentieth of a processor. */
const STOP_MILLIS = 30_000;
/** Time a state may take to come about: all take under 3 s on an idle machine. */
const TIMEOUT_MILLIS = 60_000;

/** Returns the command that runs the program: a binary where there is one. */
export function programCommand(): string[] {
  const root = resolve(import.meta.dir, "../..");
  const binary = process.env.NETCOMBINER_BIN ?? join(root, "dist", "netcombiner");
  return existsSync(binary) ? [binary] : [process.execPath, join(root, "src", "main.ts")];
}

/** Returns the plans of both ends for the usual case: one listener at the remote portal, one initiating link for each number. */
export function usualPlans(
  links: readonly number[],
  { host = {}, peer = {}, listener = {}, outer = 4 }: UsualOptions = {},
): Record<PortalPlace, PortalPlan> {
  return {
    remote: { host, peers: [{ Name: "all", ...methodOf(peer), ...listener }] },
    local: {
      host,
      peers: links.map((i) => ({
        Name: `wan${i}`,
        LocalInterface: `wan${i}`,
        RemoteHost: PLAN[outer].remote,
        ...peer,
      })),
    },
  };
}

export interface UsualOptions {
  readonly host?: Section;
  /** Keys of every initiating link. */
  readonly peer?: Section;
  readonly listener?: Section;
  readonly outer?: Family;
}

function methodOf({ Method, Protocol, Congestion }: Section): Section {
  return { Method, Protocol, Congestion };
}

/** Returns the configuration file as text. */
export function configurationText({ host = {}, peers }: PortalPlan, place: PortalPlace, key: string): string {
  const inner = place === "local" ? "innerLocal" : "innerRemote";
  const address = ([4, 6] as const).map((family) => `${PLAN[family][inner]}/${PLAN[family].networkBits}`).join(", ");
  const sections = [section("Host", { SharedKey: key, Address: address, ...host })];
  return [...sections, ...peers.map((peer) => section("Peer", peer))].join("\n");
}

function section(name: string, keys: Section): string {
  const lines = Object.entries(keys).filter(([, value]) => value !== undefined);
  return [`[${name}]`, ...lines.map(([key, value]) => `${key} = ${value}`), ""].join("\n");
}

/** A portal process. */
export class Portal {
  readonly place: PortalPlace;
  /** Lines that it wrote to standard error. */
  readonly log: string[] = [];
  readonly configurationPath: string;
  readonly #directory: string;
  readonly #child;

  constructor(topology: Topology, place: PortalPlace, directory: string, text: string) {
    this.place = place;
    this.#directory = directory;
    this.configurationPath = join(directory, `${place}.conf`);
    writeFileSync(this.configurationPath, text, { mode: 0o600 });
    const command = [...programCommand(), "run", INTERFACE, "-c", this.configurationPath];
    this.#child = Bun.spawn(topology.command(place, command), {
      env: { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: join(directory, place) },
      stdio: ["ignore", "inherit", "pipe"],
    });
    void readLines(this.#child.stderr, (line) => this.log.push(line));
  }

  get pid(): number {
    return this.#child.pid;
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Returns what `netcombiner show --json` would print. */
  async report(): Promise<TunnelReport> {
    const path = join(this.#directory, this.place, `${INTERFACE}.sock`);
    return (await askControl(path, "show")) as unknown as TunnelReport;
  }

  async snapshot(): Promise<TunnelSnapshot> {
    return (await this.report()).snapshot;
  }

  /** Waits until it answers and `isTrue` of its state; throws with its log when that takes too long. */
  async until(what: string, isTrue: (snapshot: TunnelSnapshot) => boolean): Promise<void> {
    let last: TunnelSnapshot | undefined;
    for (const end = performance.now() + TIMEOUT_MILLIS; performance.now() < end; await Bun.sleep(20)) {
      if (this.exitCode !== null) break;
      last = await this.snapshot().catch(() => undefined);
      if (last && isTrue(last)) return;
    }
    const seen = last ? JSON.stringify(last.links) : "no answer";
    throw new Error(`${this.place} portal: not ${what} (exit ${this.exitCode}): ${seen}\n${this.log.join("\n")}`);
  }

  async untilUp(paths: number): Promise<void> {
    await this.until(`${paths} paths up`, (snapshot) => pathsUp(snapshot) === paths);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.signal(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MILLIS);
    const code = await this.#child.exited;
    clearTimeout(timer);
    return code;
  }
}

export function pathsUp(snapshot: TunnelSnapshot): number {
  return snapshot.links.flatMap((link) => link.paths).filter((path) => path.state === "up").length;
}

/** Both portals of a topology and the folder with their files. */
export class Portals {
  readonly #topology: Topology;
  readonly #directory = temporaryFolder();
  readonly #key = run([...programCommand(), "genpsk"]).trim();
  readonly #portals = new Map<PortalPlace, Portal>();
  readonly #onExit = () => this.#killAll();

  constructor(topology: Topology) {
    this.#topology = topology;
    process.on("exit", this.#onExit);
  }

  get local(): Portal {
    return this.#at("local");
  }

  get remote(): Portal {
    return this.#at("remote");
  }

  /** Starts one portal and waits until its interface has routes. */
  async start(place: PortalPlace, plan: PortalPlan): Promise<Portal> {
    const text = configurationText(plan, place, this.#key);
    const portal = new Portal(this.#topology, place, this.#directory, text);
    this.#portals.set(place, portal);
    await portal.until("answering", () => true);
    this.#topology.routeTunnel(place);
    return portal;
  }

  /** Starts both and waits until so many paths are up at each end. */
  async startBoth(plans: Record<PortalPlace, PortalPlan>, paths: number): Promise<void> {
    await Promise.all([this.start("remote", plans.remote), this.start("local", plans.local)]);
    await Promise.all([this.local.untilUp(paths), this.remote.untilUp(paths)]);
  }

  rewrite(place: PortalPlace, plan: PortalPlan): void {
    writeFileSync(this.#at(place).configurationPath, configurationText(plan, place, this.#key));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#portals.values()].map((portal) => portal.stop()));
    this.#portals.clear();
  }

  /** Stops both and removes their files. */
  async remove(): Promise<void> {
    await this.stop();
    this.#killAll();
    process.off("exit", this.#onExit);
  }

  #at(place: PortalPlace): Portal {
    const portal = this.#portals.get(place);
    if (!portal) throw new Error(`the ${place} portal does not run`);
    return portal;
  }

  #killAll(): void {
    for (const portal of this.#portals.values()) portal.signal("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
