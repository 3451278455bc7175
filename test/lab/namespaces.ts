/**
 * Network namespaces of one lab. Their names begin with nc<pid>-, so that labs of several processes do not clash and
 * what a dead process left behind can be found.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUN_NETNS = "/run/netns";
const OWN_NAME = /^nc(\d+)-/;
const OWN_FOLDER = /^netcombiner-lab-(\d+)-/;

let labs = 0;

/** A set of namespaces with a prefix of its own. */
export class Namespaces {
  readonly #prefix = `nc${process.pid}-${labs++}`;
  readonly #names = new Set<string>();

  /** Returns the name that `ip netns` knows. */
  nameOf(place: string): string {
    return `${this.#prefix}-${place}`;
  }

  add(place: string): void {
    const name = this.nameOf(place);
    run(["ip", "netns", "add", name]);
    this.#names.add(name);
    run(["ip", "-n", name, "link", "set", "lo", "up"]);
  }

  /** Runs lines of `ip -batch` inside; `#` begins a comment. */
  ip(place: string, lines: readonly string[], family: "4" | "6" = "4"): void {
    run(["ip", `-${family}`, "-n", this.nameOf(place), "-batch", "-"], lines.join("\n"));
  }

  /** Sets kernel variables, given relative to /proc/sys/net. */
  sysctl(place: string, values: Readonly<Record<string, string | number>>): void {
    const writes = Object.entries(values).map(([key, value]) => `echo '${value}' > /proc/sys/net/${key}`);
    run(["ip", "netns", "exec", this.nameOf(place), "sh", "-ec", writes.join("\n")]);
  }

  /** Returns the command that runs `command` inside. The process keeps its id. */
  command(place: string, command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.nameOf(place), ...command];
  }

  /** Ends what still runs inside and removes the namespaces. Synchronous, so that it can be done while exiting. */
  remove(): void {
    for (const name of this.#names) removeNamespace(name);
    this.#names.clear();
  }
}

/** True for the name of a namespace that this process made. */
export function isOurNamespace(name: string): boolean {
  return Number(OWN_NAME.exec(name)?.[1]) === process.pid;
}

/** Returns a folder for files of this process; `sweep` finds it by its name. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), `netcombiner-lab-${process.pid}-`));
}

/** Removes namespaces and folders whose process is dead; @returns the namespaces' names */
export function sweep(): string[] {
  const isLeft = (owner: string | undefined) => owner !== undefined && !existsSync(`/proc/${owner}`);
  for (const folder of readdirSync(tmpdir()).filter((name) => isLeft(OWN_FOLDER.exec(name)?.[1])))
    rmSync(join(tmpdir(), folder), { recursive: true, force: true });
  if (!existsSync(RUN_NETNS)) return [];
  const leftovers = readdirSync(RUN_NETNS).filter((name) => isLeft(OWN_NAME.exec(name)?.[1]));
  for (const name of leftovers) removeNamespace(name);
  return leftovers;
}

/** Only processes of the lab live in its namespaces, so all inside may be ended. */
function removeNamespace(name: string): void {
  const inside = Bun.spawnSync(["ip", "netns", "pids", name]).stdout.toString().split("\n").filter(Boolean);
  for (const pid of inside) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended on its own in the meantime.
    }
  }
  Bun.spawnSync(["ip", "netns", "delete", name]);
}

/** Runs a command to its end; throws with its error output unless it succeeds. */
export function run(command: readonly string[], input?: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode === 0) return stdout.toString();
  const shown = input === undefined ? "" : `\n${input}`;
  throw new Error(`${command.join(" ")} failed with ${exitCode}: ${stderr.toString().trim()}${shown}`);
}
