/**
 * A filter of system calls for every thread of the process (seccomp(2), linux/seccomp.h, linux/filter.h): a running daemon starts no
 * programs, looks into no other process, changes no files, and opens no sockets but those of the network and of rtnetlink.
 * Whatever is refused gets EPERM, and what a newer kernel has added the answer of an older one, ENOSYS.
 */
import { LINUX_ERRNO } from "../errno.ts";
import { type Libc, pointerTo, setPointer, systemLibc } from "../libc.ts";
import { ARM64, DENIED_CALLS, HOT_CALLS, NEWER_FROM, type SystemCalls, X86_64 } from "./system-calls.ts";

/** One struct sock_filter: code, where to go on if it is true and if not, and the operand. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ, JGE and JSET | BPF_K, BPF_RET | BPF_K. */
export const BPF = { LOAD: 0x20, EQUAL: 0x15, AT_LEAST: 0x35, ANY_BIT: 0x45, RETURN: 0x06 } as const;
export const ACTION = { ALLOW: 0x7fff_0000, ERRNO: 0x0005_0000, KILL_PROCESS: 0x8000_0000 } as const;
/** Offsets in struct seccomp_data; of each argument the low 32 bits. */
export const DATA = { NUMBER: 0, ARCHITECTURE: 4, ARGUMENT: (index: number) => 16 + 8 * index } as const;

const SECCOMP_SET_MODE_FILTER = 1;
/** TSYNC: all threads at once. SPEC_ALLOW: kernels before 5.16 would otherwise slow the whole process down against Spectre v4. */
const FLAGS = (1 << 0) | (1 << 2);

/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and O_TMPFILE without its O_DIRECTORY: each of them can change a file. */
const CHANGES_FILES = 0x1 | 0x2 | 0x40 | 0x200 | 0x40_0000;

/** Not AF_UNIX: services like systemd and docker do for root what it asks them at such sockets. */
const ALLOWED_FAMILIES = { INET: 2, INET6: 10, NETLINK: 16 } as const;
const NETLINK_ROUTE = 0;

const REFUSE = ACTION.ERRNO | LINUX_ERRNO.EPERM;
const UNKNOWN = ACTION.ERRNO | 38; // ENOSYS

/** Returns the filter for an architecture. */
export function daemonFilter({ architecture, foreignFrom, numbers }: SystemCalls): Instruction[] {
  const numberOf = (call: string) => numbers[call] as number;
  const has = (call: string) => numberOf(call) >= 0;
  const when = (call: string, then: readonly Instruction[]): Instruction[] =>
    has(call) ? [[BPF.EQUAL, 0, then.length, numberOf(call)], ...then] : [];
  const foreign: Instruction[] = Number.isFinite(foreignFrom)
    ? [
        [BPF.AT_LEAST, 0, 1, foreignFrom],
        [BPF.RETURN, 0, 0, ACTION.KILL_PROCESS],
      ]
    : [];
  return [
    [BPF.LOAD, 0, 0, DATA.ARCHITECTURE],
    [BPF.EQUAL, 1, 0, architecture],
    [BPF.RETURN, 0, 0, ACTION.KILL_PROCESS],
    [BPF.LOAD, 0, 0, DATA.NUMBER],
    ...HOT_CALLS.flatMap((call) => when(call, [[BPF.RETURN, 0, 0, ACTION.ALLOW]])),
    ...foreign,
    ...DENIED_CALLS.flatMap((call) => when(call, [[BPF.RETURN, 0, 0, REFUSE]])),
    ...when("openat2", [[BPF.RETURN, 0, 0, UNKNOWN]]),
    ...when("open", readOnly(1)),
    ...when("openat", readOnly(2)),
    ...when("socket", knownSocket()),
    [BPF.AT_LEAST, 0, 1, NEWER_FROM],
    [BPF.RETURN, 0, 0, UNKNOWN],
    [BPF.RETURN, 0, 0, ACTION.ALLOW],
  ];
}

/** Refuses a call whose flags, the argument at `index`, would change a file. */
function readOnly(index: number): Instruction[] {
  return [
    [BPF.LOAD, 0, 0, DATA.ARGUMENT(index)],
    [BPF.ANY_BIT, 0, 1, CHANGES_FILES],
    [BPF.RETURN, 0, 0, REFUSE],
    [BPF.RETURN, 0, 0, ACTION.ALLOW],
  ];
}

/** Allows the families of sockets in use, of netlink the routing protocol alone. */
function knownSocket(): Instruction[] {
  const { INET, INET6, NETLINK } = ALLOWED_FAMILIES;
  return [
    [BPF.LOAD, 0, 0, DATA.ARGUMENT(0)],
    [BPF.EQUAL, 4, 0, INET],
    [BPF.EQUAL, 3, 0, INET6],
    [BPF.EQUAL, 0, 3, NETLINK],
    [BPF.LOAD, 0, 0, DATA.ARGUMENT(2)],
    [BPF.EQUAL, 0, 1, NETLINK_ROUTE],
    [BPF.RETURN, 0, 0, ACTION.ALLOW],
    [BPF.RETURN, 0, 0, REFUSE],
  ];
}

/** Returns the table of this processor, undefined where there is none. */
function thisArchitecture(): SystemCalls | undefined {
  return { x64: X86_64, arm64: ARM64 }[process.arch as string];
}

/**
 * Puts all threads of the process, and those they start, behind the filter. It cannot be undone.
 * @returns false where the system refuses, and nothing changes
 */
export function filterSystemCalls(libc: Libc = systemLibc()): boolean {
  const calls = thisArchitecture();
  if (!calls || !libc.syscall) return false;
  const program = daemonFilter(calls);
  const bytes = new DataView(new ArrayBuffer(8 * program.length));
  for (const [i, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    bytes.setUint16(8 * i, code, true);
    bytes.setUint8(8 * i + 2, ifTrue);
    bytes.setUint8(8 * i + 3, ifFalse);
    bytes.setUint32(8 * i + 4, operand, true);
  }
  // struct sock_fprog: the number of instructions, and at the next multiple of 8 where they are.
  const header = new Uint32Array(new ArrayBuffer(16));
  header[0] = program.length;
  setPointer(header, 2, pointerTo(bytes));
  const number = calls.numbers.seccomp as number;
  // With TSYNC a positive answer is the thread that could not be taken along.
  return libc.syscall(number, SECCOMP_SET_MODE_FILTER, FLAGS, pointerTo(header)) === 0;
}
