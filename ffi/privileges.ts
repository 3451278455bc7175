/**
 * Gives up the rights that a process does not need any more. Nothing here is vital: where the system has no such call, or refuses, the process
 * runs on with more than it needs.
 */
import { hardenFreebsdProcess } from "./freebsd/privileges.ts";
import { hardenLinuxProcess, limitLinuxThread } from "./linux/privileges.ts";

/**
 * Forbids dumps of the process's memory, debuggers of the same user, and programs with more rights than it has. For the whole process, at its
 * start.
 */
export function hardenProcess(): void {
  if (process.platform === "linux") hardenLinuxProcess();
  else if (process.platform === "freebsd") hardenFreebsdProcess();
}

/**
 * Leaves this thread, and those it starts, only what sockets and the TUN ask for. It must not start programs or open files of others.
 * FreeBSD has no rights of a single thread.
 */
export function limitThread(): void {
  if (process.platform === "linux") limitLinuxThread();
}
