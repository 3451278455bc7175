// A process that gives up what it can, with a thread that gives up more; tells what the kernel says of both.
import { readFileSync } from "node:fs";
import { hardenProcess, limitThread } from "../../ffi/privileges.ts";

/** What /proc says of this thread, of the named fields. */
function told(): Record<string, string> {
  const status = readFileSync("/proc/thread-self/status", "utf8");
  return Object.fromEntries(["NoNewPrivs", "CapEff", "CapPrm", "CapInh"].map((name) => [name, field(status, name)]));
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
}

if (Bun.isMainThread) {
  const before = told();
  hardenProcess();
  const worker = new Worker(import.meta.url);
  worker.onmessage = ({ data }) => {
    console.log(JSON.stringify({ before, main: told(), thread: data }));
    process.exit(0);
  };
} else {
  limitThread();
  postMessage(told());
}
