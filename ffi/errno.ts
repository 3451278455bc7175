/**
 * errno by name on both systems, and errors made of it for people. The data path compares numbers of `ERRNO`; only
 * start-up and configuration throw.
 */
import { EXIT, type ExitCode, NetcombinerError } from "../src/errors.ts";

/** include/uapi/asm-generic/errno*.h; x86-64 and arm64 agree, glibc and musl too. */
export const LINUX_ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  EPIPE: 32,
  EBADFD: 77,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
} as const;

export type ErrnoTable = { readonly [name in keyof typeof LINUX_ERRNO]: number };

/** FreeBSD sys/errno.h. EBADFD does not exist there; no call returns -1 as errno. */
export const FREEBSD_ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 35,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  EPIPE: 32,
  EBADFD: -1,
  EMSGSIZE: 40,
  ENOPROTOOPT: 42,
  EPROTONOSUPPORT: 43,
  EOPNOTSUPP: 45,
  EAFNOSUPPORT: 47,
  EADDRINUSE: 48,
  EADDRNOTAVAIL: 49,
  ENETDOWN: 50,
  ENETUNREACH: 51,
  ECONNABORTED: 53,
  ECONNRESET: 54,
  ENOBUFS: 55,
  EISCONN: 56,
  ENOTCONN: 57,
  ETIMEDOUT: 60,
  ECONNREFUSED: 61,
  EHOSTDOWN: 64,
  EHOSTUNREACH: 65,
  EALREADY: 37,
  EINPROGRESS: 36,
} as const satisfies ErrnoTable;

export const ERRNO: ErrnoTable = process.platform === "freebsd" ? FREEBSD_ERRNO : LINUX_ERRNO;

/** Returns "EAGAIN", or "errno 999" for one not in the table. */
export function errnoName(errno: number, table: ErrnoTable = ERRNO): string {
  for (const [name, number] of Object.entries(table)) if (number === errno) return name;
  return `errno ${errno}`;
}

/** Returns the error of a call that failed at start-up: "cannot open /dev/net/tun: EACCES". */
export function systemError(what: string, errno: number, table: ErrnoTable = ERRNO): NetcombinerError {
  const name = errnoName(errno, table);
  return new NetcombinerError(`${what}: ${name}`, exitCodeOf(errno, table), { cause: name });
}

function exitCodeOf(errno: number, table: ErrnoTable): ExitCode {
  if (errno === table.EPERM || errno === table.EACCES) return EXIT.NO_PERMISSION;
  if (errno === table.EBUSY || errno === table.EADDRINUSE) return EXIT.TEMPORARY;
  return EXIT.OS;
}
