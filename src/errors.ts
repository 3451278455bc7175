/**
 * Errors of start-up, configuration and host, each with the exit code of sysexits.h it ends the process with,
 * and the assertion for broken invariants. Input from the network never becomes an error: it is dropped and counted.
 */

/** Exit codes of sysexits.h(3) that the commands use. */
export const EXIT = {
  OK: 0,
  USAGE: 64,
  DATA: 65,
  NO_INPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OS: 71,
  CANT_CREATE: 73,
  IO: 74,
  TEMPORARY: 75,
  PROTOCOL: 76,
  NO_PERMISSION: 77,
  CONFIG: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A fault, and what the user can do about it. It is thrown at start or reload and shown once. */
export class NetcombinerError extends Error {
  override readonly name = "NetcombinerError";
  readonly exitCode: ExitCode;

  /** @param message tells a person what to do; @param exitCode one of `EXIT` */
  constructor(message: string, exitCode: ExitCode, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Stops the process on a broken invariant; a supervisor restarts it. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${invariant}`);
}
