/** prctl(2), capset(2) and execve(2): capabilities are of each thread, and pass to the threads and programs that it starts. */
import { cString, type Libc, pointerTo, setPointer, systemLibc } from "../libc.ts";

/** linux/prctl.h */
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/** linux/capability.h */
const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_DAC_READ_SEARCH = 2;
const CAP_NET_BIND_SERVICE = 10;
const CAP_NET_ADMIN = 12;
const CAP_NET_RAW = 13;

/** Ports below 1024; the interface, buffers and marks of sockets; raw IP and binding to an interface. */
const KEPT = (1 << CAP_NET_BIND_SERVICE) | (1 << CAP_NET_ADMIN) | (1 << CAP_NET_RAW);

export function hardenLinuxProcess({ prctl }: Libc = systemLibc()): void {
  prctl?.(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl?.(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** Keeps no more capabilities of this thread than `KEPT`. */
export function limitLinuxThread({ capget, capset }: Libc = systemLibc(), kept = KEPT): void {
  if (!capget || !capset) return;
  // struct __user_cap_header_struct: version, pid 0 for this thread.
  const header = new Uint32Array(new ArrayBuffer(8));
  header[0] = CAPABILITY_VERSION_3;
  // Two of struct __user_cap_data_struct: effective, permitted, inheritable; the low 32 capabilities, then the others.
  const sets = new Uint32Array(new ArrayBuffer(24));
  if (capget(pointerTo(header), pointerTo(sets)) < 0) return;
  for (let i = 0; i < 3; i++) {
    sets[i] = (sets[i] as number) & kept;
    sets[i + 3] = 0;
  }
  capset(pointerTo(header), pointerTo(sets));
}

/**
 * Starts a program in place of this one, in the same process, with the capabilities of `KEPT` alone in every thread: no new privileges
 * come with execve(2), so the program has no more than the thread that calls it (capabilities(7)). Descriptors in `descriptors` stay open.
 * Returns only when the system refuses.
 * @param readsAllFiles true to keep the capability to read the files of other users
 */
export function replaceLinuxProcess(
  path: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
  readsAllFiles: boolean,
  libc: Libc = systemLibc(),
): void {
  hardenLinuxProcess(libc);
  limitLinuxThread(libc, readsAllFiles ? KEPT | (1 << CAP_DAC_READ_SEARCH) : KEPT);
  for (const fd of descriptors) libc.fcntl(fd, F_SETFD, 0);
  const file = cString(path);
  const words = stringArray(argv);
  const variables = stringArray(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  libc.execve(pointerTo(file), words.address, variables.address);
}

/** fcntl.h; without FD_CLOEXEC a descriptor stays open. */
const F_SETFD = 2;

/** Returns a NULL-terminated array of C strings, with the storage that must stay referenced. */
function stringArray(texts: readonly string[]) {
  const strings = texts.map(cString);
  const pointers = new Uint32Array(new ArrayBuffer(8 * (texts.length + 1)));
  for (const [i, string] of strings.entries()) setPointer(pointers, 2 * i, pointerTo(string));
  return { address: pointerTo(pointers), pointers, strings };
}
