/**
 * Puts the tunnel into the background (dissertation, section 3.1.3): `netcombiner nc0` opens the TUN, passes it as descriptor 3 to a second
 * process of the same program, and ends once that one is ready. Environment variables tell the second which descriptors it holds.
 */
import { fstatSync } from "node:fs";
import { resolve } from "node:path";
import { openTun, type TunDescriptor } from "../../../ffi/tun.ts";
import { loadConfiguration } from "../../config/load.ts";
import { EXIT, NetcombinerError } from "../../errors.ts";
import { assertNotRunning } from "../control/server.ts";
import { linesOf } from "./lines.ts";
import { socketPath } from "./locations.ts";
import { parseReadiness, type ReadyMessage } from "./readiness.ts";

const TUN_FD = 3;
const READY_FD = 4;
const READY_TIMEOUT_MS = 20_000;
/** Time for each step: a command of the user's own may wait for something. */
const STEP_TIMEOUT_MS = 120_000;

/** The descriptors that the second process was started with. */
export interface Inheritance {
  readonly tunFd: number;
  readonly readyFd: number;
}

export interface StartOptions {
  /** True to set up the host too, as `run --up` does. */
  readonly setsUp?: boolean;
  /** Called with each line of progress. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Opens the interface and starts the process that keeps it. Resolves when the tunnel runs.
 * @param entry the program's own file, for running from source
 * @throws NetcombinerError with the reason, the daemon's own if it had one
 */
export async function startInBackground(
  interfaceName: string,
  path: string,
  entry: string,
  { setsUp = false, onProgress = () => undefined }: StartOptions = {},
): Promise<void> {
  const configurationPath = resolve(path);
  // Faults are reported here, before anything is opened.
  loadConfiguration(configurationPath);
  await assertNotRunning(socketPath(interfaceName), interfaceName);
  const tun = openTun(interfaceName);
  try {
    const flags = setsUp ? ["--up"] : [];
    await spawnDaemon([...ownCommand(entry), "run", interfaceName, "-c", configurationPath, ...flags], tun, onProgress);
  } finally {
    tun.close();
  }
}

async function spawnDaemon(command: string[], tun: TunDescriptor, onProgress: (line: string) => void): Promise<void> {
  const keepsLog = journalIsStderr();
  const child = Bun.spawn(command, {
    argv0: "netcombiner",
    cwd: "/",
    env: childEnvironment(process.env),
    // Its own session, and none of our descriptors but these: a shell that waits for the end of our output must get it.
    detached: true,
    stdio: ["ignore", "ignore", keepsLog ? "inherit" : "ignore", tun.fd, "pipe"],
  });
  const abandon = () => child.kill("SIGTERM");
  process.once("SIGINT", abandon);
  process.once("SIGTERM", abandon);
  let timer = setTimeout(abandon, READY_TIMEOUT_MS);
  const message = await readinessOf(child, (line) => {
    onProgress(line);
    // The time counts for each step.
    clearTimeout(timer);
    timer = setTimeout(abandon, STEP_TIMEOUT_MS);
  });
  clearTimeout(timer);
  process.off("SIGINT", abandon);
  process.off("SIGTERM", abandon);
  // The interface is gone only when the process that holds it is.
  if (message.ready === false) await child.exited;
  child.unref();
  if (message.ready === false) throw new NetcombinerError(message.reason, message.exitCode);
}

/** Returns the daemon's last message, or how it ended if there is none. */
async function readinessOf(child: Bun.Subprocess, onProgress: (line: string) => void): Promise<ReadyMessage> {
  const fd = child.stdio[READY_FD];
  if (typeof fd !== "number") throw new Error("no pipe to the daemon");
  for await (const line of linesOf(fd)) {
    const message = parseReadiness(line);
    if (message && "ready" in message) return message;
    if (message) onProgress(message.progress);
  }
  const code = await child.exited;
  const how = child.signalCode ? `by ${child.signalCode}` : `with exit code ${code}`;
  return { ready: false, exitCode: EXIT.SOFTWARE, reason: `the daemon ended ${how} before it was ready` };
}

/** Returns the command that starts this very program again. */
export function ownCommand(entry: string): string[] {
  if (!Bun.isStandaloneExecutable) return [process.execPath, entry];
  // The link follows the running file even after it was replaced by a newer one.
  return [process.platform === "linux" ? "/proc/self/exe" : process.execPath];
}

/** Variables the daemon needs; SSH_CONNECTION names the session that `up` must not cut. */
const PASSED_ON = ["NETCOMBINER_RUN_DIR", "JOURNAL_STREAM", "SSH_CONNECTION", "TZ"] as const;

/** Returns the daemon's environment, without the variables that change what the runtime does (BUN_*, NODE_*, LD_*). */
export function childEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...Object.fromEntries(kept),
    NETCOMBINER_TUN_FD: String(TUN_FD),
    NETCOMBINER_READY_FD: String(READY_FD),
  };
}

/** Returns undefined for a process that was started by hand. @throws NetcombinerError if a variable is no descriptor */
export function inheritance(environment: NodeJS.ProcessEnv = process.env): Inheritance | undefined {
  const tunFd = descriptorOf(environment, "NETCOMBINER_TUN_FD");
  if (tunFd === undefined) return undefined;
  return { tunFd, readyFd: descriptorOf(environment, "NETCOMBINER_READY_FD") ?? -1 };
}

function descriptorOf(environment: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === "") return undefined;
  const fd = Number(text);
  if (!Number.isInteger(fd) || fd < 3 || fd > 1023) {
    throw new NetcombinerError(`${name} is no descriptor: ${text.slice(0, 20)}`, EXIT.USAGE);
  }
  return fd;
}

/** True if standard error is the journal's own stream (systemd.exec(5): JOURNAL_STREAM is "device:inode"). */
export function journalIsStderr(environment: NodeJS.ProcessEnv = process.env): boolean {
  const stream = environment.JOURNAL_STREAM;
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
