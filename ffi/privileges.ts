/**
 * Gives up what a process no longer needs. Nothing here is vital: where the system has no such call, or refuses, the process runs on with
 * more than it needs.
 */
import { hardenFreebsdProcess } from "./freebsd/privileges.ts";
import { hardenLinuxProcess, limitLinuxThread, replaceLinuxProcess } from "./linux/privileges.ts";
import { filterSystemCalls } from "./linux/seccomp.ts";
import { openUnixSender } from "./unix-datagram.ts";

/** Forbids dumps of memory, debuggers of the same user, and programs with more rights than the process has. For its start. */
export function hardenProcess(): void {
  if (process.platform === "linux") hardenLinuxProcess();
  else if (process.platform === "freebsd") hardenFreebsdProcess();
}

/**
 * Leaves this thread, and those it starts, the capabilities that sockets and the TUN need. It must not start programs or open files of
 * others. FreeBSD has no rights of a single thread.
 */
export function limitThread(): void {
  if (process.platform === "linux") limitLinuxThread();
}

/** True where a process can begin again with fewer capabilities in all its threads: Linux, as root. */
export function canBeginAgain(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0;
}

/** Starts a program in place of this one with the capabilities that `limitThread` leaves. Returns only when the system refuses. */
export function beginAgain(
  path: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
  readsAllFiles: boolean,
): void {
  replaceLinuxProcess(path, argv, environment, descriptors, readsAllFiles);
}

/** Takes from all threads the system calls that a running daemon never makes. @returns false where the system has no filter, or refuses */
export function sealProcess(): boolean {
  openUnixSender();
  return process.platform === "linux" && filterSystemCalls();
}
