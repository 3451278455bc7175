/** The daemon's messages to the process that started it, on an inherited descriptor: lines of progress, then one that it is ready or failed. */
import { closeSync, writeSync } from "node:fs";
import { EXIT, type ExitCode, NetcombinerError } from "../../errors.ts";

export interface Readiness {
  /** Sends a line for the person who waits. */
  progress(text: string): void;
  /** Says that the interface exists and the configuration runs. */
  ready(): void;
  failed(error: unknown): void;
}

/** For a process in the foreground, for which nobody waits. */
export const nobodyWaits: Readiness = { progress() {}, ready() {}, failed() {} };

export function readinessOn(fd: number): Readiness {
  let isOver = false;
  const write = (message: ReadyMessage | ProgressMessage, isLast: boolean) => {
    if (isOver) return;
    isOver = isLast;
    try {
      writeSync(fd, `${JSON.stringify(message)}\n`);
      if (isLast) closeSync(fd);
    } catch {
      // The process that waited is gone.
    }
  };
  const tell = (message: ReadyMessage) => write(message, true);
  return {
    progress: (text) => write({ progress: text }, false),
    ready: () => tell({ ready: true }),
    failed: (error) => {
      const exitCode = error instanceof NetcombinerError ? error.exitCode : EXIT.SOFTWARE;
      tell({ ready: false, exitCode, reason: error instanceof Error ? error.message : String(error) });
    },
  };
}

export type ReadyMessage =
  | { readonly ready: true }
  | { readonly ready: false; readonly exitCode: ExitCode; readonly reason: string };

export interface ProgressMessage {
  readonly progress: string;
}

/** Returns the message in a line, undefined if it holds none. */
export function parseReadiness(text: string): ReadyMessage | ProgressMessage | undefined {
  try {
    return JSON.parse(text) as ReadyMessage | ProgressMessage;
  } catch {
    return undefined;
  }
}
