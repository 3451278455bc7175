/** Processor time that the emulator, the portals and the whole machine used over a stretch of time. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Portals } from "../lab/portals.ts";
import type { Topology } from "../lab/topology.ts";
import type { Load } from "./experiment.ts";

/** The kernel's unit in /proc, on every architecture of Linux. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/<pid>/stat after the name in brackets: user and system time (proc(5), 14 and 15). */
const USER_TIME = 11;
/** Columns of the first line of /proc/stat: idle, and waiting for disks. */
const IDLE = 3;

interface Reading {
  readonly at: number;
  readonly emulator: number;
  readonly local: number;
  readonly remote: number;
  readonly machine: number;
}

export class LoadMeter {
  readonly #topology: Topology;
  readonly #portals: Portals | undefined;
  readonly #first: Reading;

  private constructor(topology: Topology, portals: Portals | undefined, first: Reading) {
    this.#topology = topology;
    this.#portals = portals;
    this.#first = first;
  }

  /** @param portals undefined when there are none */
  static async start(topology: Topology, portals: Portals | undefined): Promise<LoadMeter> {
    return new LoadMeter(topology, portals, await read(topology, portals));
  }

  async stop(): Promise<Load> {
    const [before, after] = [this.#first, await read(this.#topology, this.#portals)];
    const share = (what: Exclude<keyof Reading, "at">) => (after[what] - before[what]) / (after.at - before.at);
    return {
      emulator: share("emulator"),
      localPortal: share("local"),
      remotePortal: share("remote"),
      machine: share("machine"),
      cores: cpus().length,
    };
  }
}

/** Returns the seconds of processor time so far, at a time in seconds. */
async function read(topology: Topology, portals: Portals | undefined): Promise<Reading> {
  const { cpuMicros } = await topology.counters();
  return {
    at: performance.now() / 1_000,
    emulator: cpuMicros / 1e6,
    local: portals ? processSeconds(portals.local.pid) : 0,
    remote: portals ? processSeconds(portals.remote.pid) : 0,
    machine: machineSeconds(readFileSync("/proc/stat", "utf8")),
  };
}

function processSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TIME]) + Number(fields[USER_TIME + 1])) / TICKS_PER_SECOND;
}

/** Returns the time in which any core was not idle. */
export function machineSeconds(text: string): number {
  const columns = text.slice(0, text.indexOf("\n")).trim().split(/\s+/).slice(1, 9).map(Number);
  const idle = (columns[IDLE] ?? 0) + (columns[IDLE + 1] ?? 0);
  return (columns.reduce((total, value) => total + value, 0) - idle) / TICKS_PER_SECOND;
}
