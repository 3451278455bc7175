/** Runs one tunnel in this process: the daemon with the real machine around it and the signals of the process. */
import { writeSync } from "node:fs";
import { resolve } from "node:path";
import { hardenProcess, sealProcess } from "../../../ffi/privileges.ts";
import { loadConfiguration } from "../../config/load.ts";
import { EXIT, type ExitCode } from "../../errors.ts";
import { journalPath } from "../../host/journal.ts";
import { HostSystem } from "../../host/system.ts";
import { Daemon, type Surroundings } from "../daemon.ts";
import type { DataplaneThread } from "../dataplane-client.ts";
import { systemSurroundings } from "../surroundings.ts";
import { inheritance } from "./handover.ts";
import { serveSteps } from "./host-helper.ts";
import { linesOf } from "./lines.ts";
import { runDirectory } from "./locations.ts";
import type { Log } from "./log.ts";
import { helperPipes, splitRights, stageOf } from "./stages.ts";

/**
 * Runs until the tunnel ends, by signal, by command or with its interface; returns the exit code of the process.
 * @param setsUp true to set up the host too, and to undo that at the end
 */
export async function runTunnel(
  interfaceName: string,
  path: string,
  createThread: () => DataplaneThread,
  setsUp = false,
): Promise<ExitCode> {
  const configurationPath = resolve(path);
  const stage = stageOf();
  const inherited = inheritance();
  const helper = stage === "first" ? splitRights(setsUp, inherited, configurationPath) : helperPipes();
  hardenProcess();
  // Files are for root alone, and no file system is kept from being unmounted.
  process.umask(0o077);
  process.chdir("/");
  if (stage === "helper") return await runHelper(interfaceName, configurationPath);
  const surroundings: Surroundings = {
    ...systemSurroundings(interfaceName, inherited, createThread, setsUp, helper),
    confine: () => seal(surroundings.log, setsUp && !helper),
  };
  const daemon = new Daemon({ interface: interfaceName, configurationPath }, surroundings);
  handleSignals(daemon, surroundings);
  return await daemon.run();
}

/** Gives up the system calls that only the start needs; `needsAll` without a helper, which would set up the host. */
function seal(log: Log, needsAll: boolean): void {
  if (process.platform !== "linux" || needsAll) return;
  if (!sealProcess()) log.info("this kernel filters no system calls: the tunnel runs on without that protection");
}

function handleSignals(daemon: Daemon, { log }: Surroundings): void {
  let wasAsked = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal does not wait.
    if (wasAsked) process.exit(EXIT.OK);
    wasAsked = true;
    daemon.stop(signal);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => daemon.reload());
  const crash = (error: unknown) => {
    log.error(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    process.exit(EXIT.SOFTWARE);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

/** Sets up the host for the daemon, which holds the other ends of standard input and output. */
async function runHelper(name: string, configurationPath: string): Promise<ExitCode> {
  // Supervisors signal all processes of a service: the daemon ends first, and has things undone here before.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  await serveSteps(
    linesOf(0),
    writeAnswer,
    () => loadConfiguration(configurationPath),
    (print) => new HostSystem({ name, journalPath: journalPath(runDirectory(), name), print }),
  );
  return EXIT.OK;
}

function writeAnswer(line: string): void {
  try {
    writeSync(1, line);
  } catch {
    // The daemon is gone: the end of the other pipe follows.
  }
}
