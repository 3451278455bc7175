// A process with two threads that seals itself; tells of every thread what the kernel says, and what can still be done.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LINUX_ERRNO } from "../../ffi/errno.ts";
import { pointerTo, systemLibc } from "../../ffi/libc.ts";
import { sealProcess } from "../../ffi/privileges.ts";
import { sendUnixDatagram, unixAddress } from "../../ffi/unix-datagram.ts";

const file = join(tmpdir(), `nc-seccomp-${process.pid}`);

function attempt(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

function openSocket(family: number, type: number): void {
  const libc = systemLibc();
  if (libc.socket(family, type, 0) >= 0) return;
  throw Object.assign(new Error("refused"), { code: libc.errno() === LINUX_ERRNO.EPERM ? "EPERM" : libc.errno() });
}

/** Sends a datagram to a Unix socket of this process, as to syslog's. */
function sendToLog(): void {
  if (!sendUnixDatagram(LOG, Uint8Array.of(1))) throw new Error("refused");
}

const LOG = `@nc-seccomp-${process.pid}`;
const [AF_UNIX, AF_PACKET, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW] = [1, 17, 1, 2, 3];
const write = () => writeFileSync(file, "");
const read = () => readFileSync("/proc/self/status");

if (Bun.isMainThread) {
  const worker = new Worker(import.meta.url);
  const next = () =>
    new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
  await next();
  const libc = systemLibc();
  const address = unixAddress(LOG) as Uint8Array;
  libc.bind(libc.socket(AF_UNIX, SOCK_DGRAM, 0), pointerTo(address), address.length);
  const sealed = sealProcess();
  const threads = readdirSync("/proc/self/task");
  const modes = threads.map(
    (id) => /^Seccomp:\s*(\d)/m.exec(readFileSync(`/proc/self/task/${id}/status`, "utf8"))?.[1],
  );
  const listening = await new Promise((resolve) => {
    const server = createServer().on("error", (error) => resolve(error.message));
    server.listen(0, "127.0.0.1", () => resolve("done"));
  });
  worker.postMessage("try");
  const other = (await next()) as Record<string, string>;
  const tried = {
    "start a program": attempt(() => Bun.spawnSync(["/bin/true"])),
    "write a file": attempt(write),
    "make a folder": attempt(() => mkdirSync(file)),
    "rename a file": attempt(() => renameSync("/nonexistent", file)),
    "open a packet socket": attempt(() => openSocket(AF_PACKET, SOCK_RAW)),
    "ask a service at its Unix socket": attempt(() => openSocket(AF_UNIX, SOCK_STREAM)),
    "write to the log daemon": attempt(sendToLog),
    "read a file": attempt(read),
    "listen on TCP": listening,
    ...other,
  };
  console.log(JSON.stringify({ sealed, modes, tried }));
  process.exit(0);
} else {
  addEventListener("message", () => {
    postMessage({
      "read the file in the other thread": attempt(read),
      "write a file in the other thread": attempt(write),
    });
  });
  postMessage("ready");
}
