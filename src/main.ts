/**
 * The one entry file, for both threads: the main thread runs the command, a worker of this same file is the data plane.
 * It must be this file that makes the worker: inside the compiled binary every other one has this one's URL.
 */
import { runCli } from "./cli/cli.ts";
import type { DataplaneThread } from "./daemon/dataplane-client.ts";
import { runDataplane } from "./dataplane/worker.ts";

if (Bun.isMainThread) {
  // A Worker's handlers take whole events of the DOM; ours look at the parts named in DataplaneThread.
  const createThread = () => new Worker(import.meta.url) as unknown as DataplaneThread;
  await runCli(process.argv.slice(2), { entry: Bun.main, createThread });
} else {
  runDataplane();
}
