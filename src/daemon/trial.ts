/**
 * A tunnel for a look at its links: the real daemon with an interface that stays down and has no address, a control socket of
 * its own and no log, so that nothing of the host changes and nothing of it is left.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, NetcombinerError } from "../errors.ts";
import { Daemon } from "./daemon.ts";
import type { DataplaneThread } from "./dataplane-client.ts";
import { socketPath } from "./process/locations.ts";
import { Log } from "./process/log.ts";
import { Notifier } from "./process/notify.ts";
import { systemSurroundings } from "./surroundings.ts";

/**
 * Runs the tunnel of a configuration while `use` looks at it through the control socket at the path it is given.
 * @throws NetcombinerError when it does not start, and what `use` throws
 */
export async function withTrial<T>(
  configurationPath: string,
  createThread: () => DataplaneThread,
  use: (socket: string) => Promise<T>,
): Promise<T> {
  const name = `nctry${process.pid}`.slice(0, 15);
  const folder = mkdtempSync(join(tmpdir(), "netcombiner-trial-"));
  const started = Promise.withResolvers<void>();
  const failed = (error: unknown) => started.reject(error);
  const system = systemSurroundings(name, undefined, createThread, false);
  const daemon = new Daemon(
    { interface: name, configurationPath, runDirectory: folder, isTrial: true },
    {
      ...system,
      configureInterface: () => undefined,
      log: new Log({ write: () => undefined }, system.now),
      notifier: new Notifier(""),
      readiness: { progress: () => undefined, ready: () => started.resolve(), failed },
    },
  );
  const ended = daemon.run();
  try {
    await started.promise;
    const over = ended.then(() => {
      throw new NetcombinerError("the trial of the tunnel ended before it was looked at", EXIT.SOFTWARE);
    });
    return await Promise.race([use(socketPath(name, folder)), over]);
  } finally {
    daemon.stop("looked at");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
