/**
 * Measures what else the machine did while a test measured something. A figure of time or throughput says nothing about the program when
 * others took the processor; what the program and its tests compute themselves never counts as such.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Ticks of /proc/stat a second (USER_HZ), the same on every architecture of Linux. */
const TICKS_PER_SECOND = 100;

/** Share of all processors above which others' work is more than the background of an idle system (logs, timers: 1–3 %). */
const BUSY_SHARE = 0.08;
/** Share of the time in which some task waited for a processor: below it, others' work delays nobody. */
const WAITING_SHARE = 0.05;
/** Share of the time taken by the hypervisor for other machines: it delays whatever runs at that moment. */
const STOLEN_SHARE = 0.02;

/** Shares of a span of time. */
export interface MachineLoad {
  readonly seconds: number;
  /** Processor time of processes that are not ours, against all that the processors could give. */
  readonly others: number;
  /** Time of the processors that a hypervisor gave to other machines. */
  readonly stolen: number;
  /** Time in which some task waited for a processor; 1 where the kernel does not tell. */
  readonly waiting: number;
}

/** Readings at one moment: ticks, and microseconds of waiting. */
interface Readings {
  readonly at: number;
  readonly computed: number;
  readonly own: number;
  readonly stolen: number;
  readonly waited: number | undefined;
}

export class LoadMeter {
  readonly #isOurs: (netns: string) => boolean;
  readonly #start: Readings;

  /** @param isOurs true for namespaces (of /run/netns) whose processes are ours even if this process did not start them */
  constructor(isOurs: (netns: string) => boolean = () => false) {
    this.#isOurs = isOurs;
    this.#start = read(isOurs);
  }

  /** Returns the load since the meter was made. */
  read(): MachineLoad {
    return loadBetween(this.#start, read(this.#isOurs), availableParallelism());
  }
}

/** Returns the load between two readings of a machine with so many processors. */
export function loadBetween(from: Readings, to: Readings, processors: number): MachineLoad {
  const seconds = Math.max(1e-3, (to.at - from.at) / 1_000);
  const ticks = seconds * processors * TICKS_PER_SECOND;
  const others = to.computed - from.computed - (to.own - from.own);
  const waited = to.waited === undefined || from.waited === undefined ? undefined : (to.waited - from.waited) / 1e6;
  return {
    seconds,
    others: Math.max(0, others) / ticks,
    stolen: (to.stolen - from.stolen) / ticks,
    waiting: waited === undefined ? 1 : Math.min(1, waited / seconds),
  };
}

/** True if figures of time and throughput measured under this load are none of the program's. */
export function isInconclusive({ others, stolen, waiting }: MachineLoad): boolean {
  return (others > BUSY_SHARE && waiting > WAITING_SHARE) || stolen > STOLEN_SHARE;
}

export function describeLoad({ others, stolen, waiting, seconds }: MachineLoad): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return `others took ${percent(others)} of the processors for ${seconds.toFixed(1)} s, a hypervisor ${percent(stolen)}, and tasks waited ${percent(waiting)} of the time`;
}

function read(isOurs: (netns: string) => boolean): Readings {
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = readFileSync("/proc/stat", "utf8")
    .slice("cpu ".length)
    .trimStart()
    .split(" ")
    .map(Number);
  return {
    at: performance.now(),
    computed: user + nice + system,
    own: ownTicks(isOurs),
    stolen,
    waited: waitedMicros(),
  };
}

/** Microseconds since the machine started in which a task waited for a processor (Documentation/accounting/psi.rst). */
function waitedMicros(): number | undefined {
  try {
    return Number(/^some .*total=(\d+)$/m.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}

interface Process {
  readonly parent: number;
  /** Its own and those of its children that ended and were waited for, so that nothing is lost when one ends. */
  readonly ticks: number;
}

/** Ticks of this process, of all below it, and of those in our namespaces. */
function ownTicks(isOurs: (netns: string) => boolean): number {
  const processes = readProcesses();
  const namespaces = ownNamespaces(isOurs);
  const isOwn = new Map<number, boolean>([[process.pid, true]]);
  const find = (pid: number): boolean => {
    const known = isOwn.get(pid);
    if (known !== undefined) return known;
    isOwn.set(pid, false);
    const parent = processes.get(pid)?.parent ?? 0;
    const found = (parent > 0 && find(parent)) || (namespaces.size > 0 && namespaces.has(namespaceOf(pid)));
    isOwn.set(pid, found);
    return found;
  };
  let ticks = 0;
  for (const [pid, one] of processes) if (find(pid)) ticks += one.ticks;
  return ticks;
}

function readProcesses(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // After the name, which may hold anything: state is field 3, the parent 4, the times 14 to 17 (proc_pid_stat(5)).
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
      found.set(Number(name), { parent: Number(fields[1]), ticks });
    } catch {
      // It ended in the meantime.
    }
  }
  return found;
}

/** Returns our namespaces as `/proc/<pid>/ns/net` names them. */
function ownNamespaces(isOurs: (netns: string) => boolean): Set<string> {
  if (!existsSync("/run/netns")) return new Set();
  const names = readdirSync("/run/netns").filter(isOurs);
  return new Set(names.map((name) => `net:[${statSync(`/run/netns/${name}`).ino}]`));
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}
