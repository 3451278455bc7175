/** What the daemon tells the process that started it, on a descriptor it inherited: how it goes, then one line, then nothing. */
import { closeSync, writeSync } from "node:fs";
import { EXIT, type ExitCode, NetcombinerError } from "../../errors.ts";

export interface Readiness {
  /** A line for whoever waits to see. */
  progress(text: string): void;
  /** The interface exists and the configuration runs. */
  ready(): void;
  failed(error: unknown): void;
}

/** For a process in the foreground: nobody waits. */
export const nobodyWaits: Readiness = { progress() {}, ready() {}, failed() {} };

export function readinessOn(fd: number): Readiness {
  let isTold = false;
  const write = (message: ReadyMessage | ProgressMessage, isLast: boolean) => {
    if (isTold) return;
    isTold = isLast;
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

/** What a line says; undefined if it is none of ours. */
export function parseReadiness(text: string): ReadyMessage | ProgressMessage | undefined {
  try {
    return JSON.parse(text) as ReadyMessage | ProgressMessage;
  } catch {
    return undefined;
  }
}
