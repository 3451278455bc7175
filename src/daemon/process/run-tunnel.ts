/** Runs one tunnel in this process: the daemon with the real machine around it and the signals of the process. */
import { resolve } from "node:path";
import { hardenProcess } from "../../../ffi/privileges.ts";
import { EXIT, type ExitCode } from "../../errors.ts";
import { Daemon } from "../daemon.ts";
import type { DataplaneThread } from "../dataplane-client.ts";
import { systemSurroundings } from "../surroundings.ts";
import { inheritance } from "./handover.ts";

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
  hardenProcess();
  // Files are for root alone, and no file system is kept from being unmounted.
  process.umask(0o077);
  process.chdir("/");
  const surroundings = systemSurroundings(interfaceName, inheritance(), createThread, setsUp);
  const daemon = new Daemon({ interface: interfaceName, configurationPath }, surroundings);
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
    surroundings.log.error(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    process.exit(EXIT.SOFTWARE);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  return await daemon.run();
}
