/** prctl(2) and capset(2): the first are of the process or inherited by what it starts, capabilities are of each thread. */
import { type Libc, pointerTo, systemLibc } from "../libc.ts";

/** linux/prctl.h */
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/** linux/capability.h */
const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_NET_BIND_SERVICE = 10;
const CAP_NET_ADMIN = 12;
const CAP_NET_RAW = 13;

/** Ports below 1024; buffers and marks of sockets; raw IP and binding to an interface. */
const KEPT = (1 << CAP_NET_BIND_SERVICE) | (1 << CAP_NET_ADMIN) | (1 << CAP_NET_RAW);

export function hardenLinuxProcess({ prctl }: Libc = systemLibc()): void {
  prctl?.(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl?.(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/** Keeps of what the thread may do no more than `KEPT`. */
export function limitLinuxThread({ capget, capset }: Libc = systemLibc()): void {
  if (!capget || !capset) return;
  // struct __user_cap_header_struct: version, pid 0 for this thread.
  const header = new Uint32Array(new ArrayBuffer(8));
  header[0] = CAPABILITY_VERSION_3;
  // Two of struct __user_cap_data_struct: effective, permitted, inheritable; the low 32 capabilities, then the others.
  const sets = new Uint32Array(new ArrayBuffer(24));
  if (capget(pointerTo(header), pointerTo(sets)) < 0) return;
  for (let i = 0; i < 3; i++) {
    sets[i] = (sets[i] as number) & KEPT;
    sets[i + 3] = 0;
  }
  capset(pointerTo(header), pointerTo(sets));
}
