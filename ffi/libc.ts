/**
 * The C library as the rest of `ffi/` sees it: the `Libc` shape, the symbol table with the C prototype beside every
 * argument, and the one `dlopen` of this thread. Tests hand over fakes of the same shape that record the calls, so
 * that the code of a system runs where the system is not.
 *
 * Memory is passed by address, a plain number. A buffer whose address the kernel gets must lie over `new ArrayBuffer(n)`
 * (small typed arrays move) and must stay referenced while the call can use it.
 */
import { dlopen, FFIType, type Pointer, ptr, toArrayBuffer } from "bun:ffi";

/** An address in this process; 0 is NULL. */
export type Address = number;

/** The calls in use. Every one returns -1 on failure and leaves the reason in `errno()`, until the next call. */
export interface Libc {
  open(path: Address, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, buffer: Address, length: number): number;
  write(fd: number, buffer: Address, length: number): number;
  writev(fd: number, iovecs: Address, count: number): number;
  /** @param argument an address, or a number where the request takes it by value */
  ioctl(fd: number, request: number, argument: Address): number;
  fcntl(fd: number, command: number, argument: number): number;
  poll(pollfds: Address, count: number, milliseconds: number): number;
  ppoll(pollfds: Address, count: number, timespec: Address, signals: Address): number;
  pipe2(descriptors: Address, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Address, length: number): number;
  connect(fd: number, address: Address, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Address, length: Address, flags: number): number;
  getsockopt(fd: number, level: number, name: number, value: Address, length: Address): number;
  setsockopt(fd: number, level: number, name: number, value: Address, length: number): number;
  getsockname(fd: number, address: Address, length: Address): number;
  getpeername(fd: number, address: Address, length: Address): number;
  sendmsg(fd: number, message: Address, flags: number): number;
  recvmsg(fd: number, message: Address, flags: number): number;
  send(fd: number, buffer: Address, length: number, flags: number): number;
  recv(fd: number, buffer: Address, length: number, flags: number): number;
  sendto(fd: number, buffer: Address, length: number, flags: number, address: Address, addressLength: number): number;
  /** Copies memory that does not overlap: half the cost of a view made for `Uint8Array.set`. */
  memcpy(to: Address, from: Address, length: number): void;
  clock_gettime(clock: number, timespec: Address): number;
  /** Returns the index of the interface, 0 if there is none of that name. */
  if_nametoindex(name: Address): number;
  /** Undefined where the library has none. */
  readonly sendmmsg: ((fd: number, messages: Address, count: number, flags: number) => number) | undefined;
  readonly recvmmsg:
    | ((fd: number, messages: Address, count: number, flags: number, timeout: Address) => number)
    | undefined;
  readonly prctl: ((option: number, a: number, b: number, c: number, d: number) => number) | undefined;
  readonly capget: ((header: Address, data: Address) => number) | undefined;
  readonly capset: ((header: Address, data: Address) => number) | undefined;
  /** Only for calls without a function of their own; the arguments are numbers or addresses. */
  readonly syscall: ((number: number, a: number, b: number, c: number) => number) | undefined;
  readonly execve: (path: Address, argv: Address, environment: Address) => number;
  readonly procctl: ((idType: number, id: number, command: number, data: Address) => number) | undefined;
  /** Returns the reason for which the last call of this thread failed. */
  errno(): number;
}

// Variadic arguments go through fixed descriptors: the same registers on SysV x86-64 and AAPCS64.
// `nfds_t`, `size_t` and `unsigned int vlen` differ between systems; 64 bits in a register fit all of them.
const REQUIRED = {
  open: { args: ["ptr" /* const char *path */, "i32" /* int flags */, "u32" /* mode_t mode */], returns: "i32" },
  close: { args: ["i32" /* int fd */], returns: "i32" },
  read: { args: ["i32" /* int fd */, "ptr" /* void *buf */, "u64" /* size_t n */], returns: FFIType.i64_fast },
  write: { args: ["i32" /* int fd */, "ptr" /* const void *buf */, "u64" /* size_t n */], returns: FFIType.i64_fast },
  writev: {
    args: ["i32" /* int fd */, "ptr" /* const struct iovec * */, "i32" /* int n */],
    returns: FFIType.i64_fast,
  },
  ioctl: { args: ["i32" /* int fd */, "u64" /* unsigned long request */, "ptr" /* ... */], returns: "i32" },
  fcntl: { args: ["i32" /* int fd */, "i32" /* int cmd */, "i32" /* ... */], returns: "i32" },
  poll: { args: ["ptr" /* struct pollfd * */, "u64" /* nfds_t n */, "i32" /* int ms */], returns: "i32" },
  ppoll: {
    args: [
      "ptr" /* struct pollfd * */,
      "u64" /* nfds_t n */,
      "ptr" /* const struct timespec * */,
      "ptr" /* sigset_t * */,
    ],
    returns: "i32",
  },
  pipe2: { args: ["ptr" /* int fds[2] */, "i32" /* int flags */], returns: "i32" },
  socket: { args: ["i32" /* int domain */, "i32" /* int type */, "i32" /* int protocol */], returns: "i32" },
  bind: { args: ["i32" /* int fd */, "ptr" /* const struct sockaddr * */, "u32" /* socklen_t */], returns: "i32" },
  connect: { args: ["i32" /* int fd */, "ptr" /* const struct sockaddr * */, "u32" /* socklen_t */], returns: "i32" },
  listen: { args: ["i32" /* int fd */, "i32" /* int backlog */], returns: "i32" },
  accept4: {
    args: ["i32" /* int fd */, "ptr" /* struct sockaddr * */, "ptr" /* socklen_t * */, "i32" /* int flags */],
    returns: "i32",
  },
  getsockopt: {
    args: [
      "i32" /* int fd */,
      "i32" /* int level */,
      "i32" /* int name */,
      "ptr" /* void * */,
      "ptr" /* socklen_t * */,
    ],
    returns: "i32",
  },
  setsockopt: {
    args: [
      "i32" /* int fd */,
      "i32" /* int level */,
      "i32" /* int name */,
      "ptr" /* const void * */,
      "u32" /* socklen_t */,
    ],
    returns: "i32",
  },
  getsockname: {
    args: ["i32" /* int fd */, "ptr" /* struct sockaddr * */, "ptr" /* socklen_t * */],
    returns: "i32",
  },
  getpeername: {
    args: ["i32" /* int fd */, "ptr" /* struct sockaddr * */, "ptr" /* socklen_t * */],
    returns: "i32",
  },
  memcpy: { args: ["ptr" /* void *to */, "ptr" /* const void *from */, "u64" /* size_t n */], returns: "void" },
  sendmsg: {
    args: ["i32" /* int fd */, "ptr" /* const struct msghdr * */, "i32" /* int flags */],
    returns: FFIType.i64_fast,
  },
  recvmsg: {
    args: ["i32" /* int fd */, "ptr" /* struct msghdr * */, "i32" /* int flags */],
    returns: FFIType.i64_fast,
  },
  send: {
    args: ["i32" /* int fd */, "ptr" /* const void * */, "u64" /* size_t n */, "i32" /* int flags */],
    returns: FFIType.i64_fast,
  },
  recv: {
    args: ["i32" /* int fd */, "ptr" /* void * */, "u64" /* size_t n */, "i32" /* int flags */],
    returns: FFIType.i64_fast,
  },
  sendto: {
    args: [
      "i32" /* int fd */,
      "ptr" /* const void * */,
      "u64" /* size_t n */,
      "i32" /* int flags */,
      "ptr" /* const struct sockaddr * */,
      "u32" /* socklen_t */,
    ],
    returns: FFIType.i64_fast,
  },
  execve: {
    args: ["ptr" /* const char *pathname */, "ptr" /* char *const argv[] */, "ptr" /* char *const envp[] */],
    returns: "i32",
  },
  clock_gettime: { args: ["i32" /* clockid_t */, "ptr" /* struct timespec * */], returns: "i32" },
  if_nametoindex: { args: ["ptr" /* const char *name */], returns: "u32" },
} as const;

const SENDMMSG = {
  sendmmsg: {
    args: ["i32" /* int fd */, "ptr" /* struct mmsghdr * */, "u64" /* vlen */, "i32" /* int flags */],
    returns: "i32",
  },
} as const;
const RECVMMSG = {
  recvmmsg: {
    args: [
      "i32" /* int fd */,
      "ptr" /* struct mmsghdr * */,
      "u64" /* vlen */,
      "i32" /* int flags */,
      "ptr" /* struct timespec * */,
    ],
    returns: "i32",
  },
} as const;
const PRCTL = {
  prctl: { args: ["i32" /* int option */, "u64" /* ... */, "u64", "u64", "u64"], returns: "i32" },
} as const;
const SYSCALL = {
  syscall: { args: ["i64" /* long number */, "u64" /* ... */, "u64", "u64"], returns: FFIType.i64_fast },
} as const;
const CAPABILITIES = {
  capget: { args: ["ptr" /* cap_user_header_t */, "ptr" /* cap_user_data_t */], returns: "i32" },
  capset: { args: ["ptr" /* cap_user_header_t */, "ptr" /* const cap_user_data_t */], returns: "i32" },
} as const;
const PROCCTL = {
  procctl: { args: ["i32" /* idtype_t */, "i64" /* id_t */, "i32" /* int cmd */, "ptr" /* void * */], returns: "i32" },
} as const;
const ERRNO_LOCATION = {
  linux: { __errno_location: { args: [], returns: "ptr" } },
  freebsd: { __error: { args: [], returns: "ptr" } },
} as const;

// One fixed name by system: probing several would let dlopen fall back to a file in the working directory.
// musl's loader maps every `libc.*` to itself.
const LIBRARY = process.platform === "freebsd" ? "libc.so.7" : "libc.so.6";

type OptionalCall = "sendmmsg" | "recvmmsg" | "prctl" | "capget" | "capset" | "syscall" | "procctl";

let thread: Libc | undefined;

/** Returns the C library of this thread, loaded at the first call. */
export function systemLibc(): Libc {
  thread ??= load();
  return thread;
}

function load(): Libc {
  const required = dlopen(LIBRARY, REQUIRED).symbols;
  return {
    ...(required as unknown as Omit<Libc, OptionalCall | "errno">),
    sendmmsg: optional(SENDMMSG)?.sendmmsg as Libc["sendmmsg"],
    recvmmsg: optional(RECVMMSG)?.recvmmsg as Libc["recvmmsg"],
    prctl: optional(PRCTL)?.prctl as Libc["prctl"],
    capget: optional(CAPABILITIES)?.capget as Libc["capget"],
    capset: optional(CAPABILITIES)?.capset as Libc["capset"],
    syscall: process.platform === "linux" ? (optional(SYSCALL)?.syscall as Libc["syscall"]) : undefined,
    procctl: optional(PROCCTL)?.procctl as Libc["procctl"],
    errno: errnoReader(),
  };
}

/** A missing symbol makes the whole dlopen throw, so each optional one has its own. */
function optional(symbols: Parameters<typeof dlopen>[1]): Record<string, unknown> | undefined {
  try {
    return dlopen(LIBRARY, symbols).symbols;
  } catch {
    return undefined;
  }
}

function errnoReader(): () => number {
  const location =
    process.platform === "freebsd"
      ? dlopen(LIBRARY, ERRNO_LOCATION.freebsd).symbols.__error()
      : dlopen(LIBRARY, ERRNO_LOCATION.linux).symbols.__errno_location();
  const errno = new Int32Array(toArrayBuffer(location as Pointer, 0, 4));
  return () => errno[0] as number;
}

/** Returns the address of the first byte (plus `offset`). The storage must be an `ArrayBuffer` of its own making. */
export function pointerTo(memory: ArrayBuffer | ArrayBufferView, offset = 0): Address {
  return (ptr(memory as Uint8Array) as number) + offset;
}

/** Returns a view of `length` bytes of foreign memory. */
export function memoryAt(address: Address, length: number): Uint8Array {
  return new Uint8Array(toArrayBuffer(address as Pointer, 0, length));
}

/** Returns a NUL-terminated string whose storage does not move; keep it referenced while C may read it. */
export function cString(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const out = new Uint8Array(new ArrayBuffer(bytes.length + 1));
  out.set(bytes);
  return out;
}

/** Writes a 64-bit address as two native (little-endian) halves: index counts 32-bit words. */
export function setPointer(words: Uint32Array, index: number, address: Address): void {
  words[index] = address >>> 0;
  words[index + 1] = Math.floor(address / 0x1_0000_0000);
}
