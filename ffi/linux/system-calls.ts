/**
 * The system calls that a running daemon never makes, by number on x86-64 and arm64 (asm/unistd_64.h, asm-generic/unistd.h);
 * -1 where the architecture has no such call. Those that only change files are here as well as those that lead out of the process.
 */

export interface SystemCalls {
  /** AUDIT_ARCH_* of linux/audit.h, by which a filter tells the tables apart. */
  readonly architecture: number;
  /** Calls of the x32 ABI have this bit (x86-64 alone); Infinity for none. */
  readonly foreignFrom: number;
  readonly numbers: Readonly<Record<string, number>>;
}

/** Calls of the data path, which a filter lets through first. */
export const HOT_CALLS = [
  "recvmmsg",
  "sendmmsg",
  "recvmsg",
  "sendmsg",
  "readv",
  "writev",
  "read",
  "write",
  "ppoll",
] as const;

export const DENIED_CALLS = [
  // Other programs and processes.
  "execve",
  "execveat",
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "pidfd_getfd",
  "kcmp",
  // Namespaces and mounts.
  "mount",
  "umount2",
  "pivot_root",
  "chroot",
  "setns",
  "unshare",
  "open_tree",
  "move_mount",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "mount_setattr",
  "open_by_handle_at",
  "fanotify_init",
  // The kernel.
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "bpf",
  "perf_event_open",
  "userfaultfd",
  "reboot",
  "syslog",
  "acct",
  "swapon",
  "swapoff",
  "quotactl",
  "quotactl_fd",
  "iopl",
  "ioperm",
  "settimeofday",
  "clock_settime",
  "adjtimex",
  "clock_adjtime",
  "sethostname",
  "setdomainname",
  "personality",
  "vhangup",
  // What would go past this filter.
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  // Keys of the kernel.
  "add_key",
  "request_key",
  "keyctl",
  // Files: making, renaming, and changing whom they belong to and who may use them.
  "creat",
  "mkdir",
  "mkdirat",
  "mknod",
  "mknodat",
  "rename",
  "renameat",
  "renameat2",
  "link",
  "linkat",
  "symlink",
  "symlinkat",
  "chmod",
  "fchmod",
  "fchmodat",
  "chown",
  "fchown",
  "lchown",
  "fchownat",
  "truncate",
  "setxattr",
  "lsetxattr",
  "fsetxattr",
  "removexattr",
  "lremovexattr",
  "fremovexattr",
] as const;

/** The first number that is newer than the tables: what has a higher one gets the answer of an older kernel. */
export const NEWER_FROM = 450;

const name = (names: string, numbers: readonly number[]): Record<string, number> =>
  Object.fromEntries(names.split(" ").map((call, i) => [call, numbers[i] as number]));

export const X86_64: SystemCalls = {
  architecture: 0xc000003e,
  foreignFrom: 0x4000_0000,
  numbers: {
    ...name(
      "read write readv writev sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg ppoll",
      [0, 1, 19, 20, 44, 45, 46, 47, 307, 299, 271],
    ),
    ...name("open openat openat2 socket seccomp", [2, 257, 437, 41, 317]),
    ...name(
      "execve execveat ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp",
      [59, 322, 101, 310, 311, 438, 312],
    ),
    ...name(
      "mount umount2 pivot_root chroot setns unshare open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_by_handle_at fanotify_init",
      [165, 166, 155, 161, 308, 272, 428, 429, 430, 431, 432, 433, 442, 304, 300],
    ),
    ...name(
      "init_module finit_module delete_module kexec_load kexec_file_load bpf perf_event_open userfaultfd reboot syslog acct swapon swapoff quotactl quotactl_fd",
      [175, 313, 176, 246, 320, 321, 298, 323, 169, 103, 163, 167, 168, 179, 443],
    ),
    ...name(
      "iopl ioperm settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname personality vhangup",
      [172, 173, 164, 227, 159, 305, 170, 171, 135, 153],
    ),
    ...name(
      "io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl",
      [425, 426, 427, 248, 249, 250],
    ),
    ...name(
      "creat mkdir mkdirat mknod mknodat rename renameat renameat2 link linkat symlink symlinkat truncate",
      [85, 83, 258, 133, 259, 82, 264, 316, 86, 265, 88, 266, 76],
    ),
    ...name("chmod fchmod fchmodat chown fchown lchown fchownat", [90, 91, 268, 92, 93, 94, 260]),
    ...name("setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr", [188, 189, 190, 197, 198, 199]),
  },
};

export const ARM64: SystemCalls = {
  architecture: 0xc00000b7,
  foreignFrom: Number.POSITIVE_INFINITY,
  numbers: {
    ...name(
      "read write readv writev sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg ppoll",
      [63, 64, 65, 66, 206, 207, 211, 212, 269, 243, 73],
    ),
    ...name("open openat openat2 socket seccomp", [-1, 56, 437, 198, 277]),
    ...name(
      "execve execveat ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp",
      [221, 281, 117, 270, 271, 438, 272],
    ),
    ...name(
      "mount umount2 pivot_root chroot setns unshare open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_by_handle_at fanotify_init",
      [40, 39, 41, 51, 268, 97, 428, 429, 430, 431, 432, 433, 442, 265, 262],
    ),
    ...name(
      "init_module finit_module delete_module kexec_load kexec_file_load bpf perf_event_open userfaultfd reboot syslog acct swapon swapoff quotactl quotactl_fd",
      [105, 273, 106, 104, 294, 280, 241, 282, 142, 116, 89, 224, 225, 60, 443],
    ),
    ...name(
      "iopl ioperm settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname personality vhangup",
      [-1, -1, 170, 112, 171, 266, 161, 162, 92, 58],
    ),
    ...name(
      "io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl",
      [425, 426, 427, 217, 218, 219],
    ),
    ...name(
      "creat mkdir mkdirat mknod mknodat rename renameat renameat2 link linkat symlink symlinkat truncate",
      [-1, -1, 34, -1, 33, -1, 38, 276, -1, 37, -1, 36, 45],
    ),
    ...name("chmod fchmod fchmodat chown fchown lchown fchownat", [-1, 52, 53, -1, 55, -1, 54]),
    ...name("setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr", [5, 6, 7, 14, 15, 16]),
  },
};
