/** What the daemon tells the process that started it: one line on a descriptor it inherited, then nothing. */
import { closeSync, writeSync } from "node:fs";
import { EXIT, type ExitCode, NetcombinerError } from "../errors.ts";

export interface Readiness {
  /** The interface exists and the configuration runs. */
  ready(): void;
  failed(error: unknown): void;
}

/** For a process in the foreground: nobody waits. */
export const nobodyWaits: Readiness = { ready() {}, failed() {} };

export function readinessOn(fd: number): Readiness {
  let isTold = false;
  const tell = (message: ReadyMessage) => {
    if (isTold) return;
    isTold = true;
    try {
      writeSync(fd, `${JSON.stringify(message)}\n`);
      closeSync(fd);
    } catch {
      // The process that waited is gone.
    }
  };
  return {
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

/** What the line says; undefined when the daemon ended without saying anything. */
export function parseReadiness(text: string): ReadyMessage | undefined {
  try {
    return JSON.parse(text) as ReadyMessage;
  } catch {
    return undefined;
  }
}
