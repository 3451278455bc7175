/**
 * TAP interfaces in other network namespaces, opened by this process. A TAP without offloads makes the kernel hand over
 * frames as a wire would carry them: no super-packets, checksums complete.
 */
import { dlopen } from "bun:ffi";
import { systemError } from "../../ffi/errno.ts";
import { cString, pointerTo, systemLibc } from "../../ffi/libc.ts";

const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0x80000;
const O_RDWR_NONBLOCK_CLOEXEC = 0x80802;
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFREQ_SIZE = 40;
const IFREQ_FLAGS = 16;

const setns = dlopen("libc.so.6", {
  setns: { args: ["i32" /* int fd */, "i32" /* int nstype */], returns: "i32" },
}).symbols.setns;

/** Runs `work` with this thread inside the namespace that `ip netns` knows as `namespace`, and comes back. */
export function insideNamespace<T>(namespace: string, work: () => T): T {
  const home = openFile("/proc/thread-self/ns/net", O_RDONLY_CLOEXEC);
  const there = openFile(`/run/netns/${namespace}`, O_RDONLY_CLOEXEC);
  try {
    enter(there);
    return work();
  } finally {
    enter(home);
    systemLibc().close(there);
    systemLibc().close(home);
  }
}

/** @returns a non-blocking descriptor of a new TAP interface; the interface goes when the descriptor is closed */
export function openTap(namespace: string, name: string): number {
  return insideNamespace(namespace, () => {
    const libc = systemLibc();
    const fd = openFile("/dev/net/tun", O_RDWR_NONBLOCK_CLOEXEC);
    const request = new Uint8Array(new ArrayBuffer(IFREQ_SIZE));
    request.set(new TextEncoder().encode(name));
    new DataView(request.buffer).setUint16(IFREQ_FLAGS, IFF_TAP | IFF_NO_PI, true);
    if (libc.ioctl(fd, TUNSETIFF, pointerTo(request)) < 0) throw systemError(`cannot make TAP ${name}`, libc.errno());
    return fd;
  });
}

function openFile(path: string, flags: number): number {
  const name = cString(path);
  const fd = systemLibc().open(pointerTo(name), flags, 0);
  if (fd < 0) throw systemError(`cannot open ${path}`, systemLibc().errno());
  return fd;
}

function enter(namespaceFd: number): void {
  if (setns(namespaceFd, CLONE_NEWNET) < 0) throw systemError("cannot enter a namespace", systemLibc().errno());
}
