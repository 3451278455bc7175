/**
 * The protocol between a test and the emulator's process: one JSON object a line, questions on its standard input,
 * answers on its standard output. JSON has no Infinity and writes it as null, so null is read as Infinity.
 */

import type { LINK_DROP, LinkShape } from "../sim/link-model.ts";
import type { Attack } from "./attacker.ts";

export interface EmulatedEnd {
  readonly namespace: string;
  readonly interface: string;
}

/** One emulated cable: a TAP at each end, and the two directions between them. */
export interface EmulatedCable {
  readonly ends: readonly [EmulatedEnd, EmulatedEnd];
  /** From the first end to the second, and back. */
  readonly shapes: readonly [Partial<LinkShape>, Partial<LinkShape>];
  readonly seed: number;
}

/** 0: from the first end to the second; 1: back. */
export type Direction = 0 | 1;

export type EmulatorQuestion = { readonly id: number } & (
  | {
      readonly op: "change";
      readonly cable: number;
      readonly direction: Direction;
      /** Times of a trace count from now. */
      readonly shape: Partial<LinkShape>;
    }
  | { readonly op: "cut" | "restore"; readonly cable: number; readonly direction: Direction }
  | {
      readonly op: "attack";
      readonly cable: number;
      readonly direction: Direction;
      readonly perSecond: number;
      /** Frames in all; 0 ends it. */
      readonly count: number;
    }
  | { readonly op: "counters" }
);

export interface DirectionCounters {
  /** Frames that entered, and that came out; wire bytes that entered. */
  readonly offered: number;
  readonly offeredBytes: number;
  readonly arrived: number;
  readonly drops: Readonly<Record<keyof typeof LINK_DROP, number>>;
  readonly queuedPackets: number;
  /** Time that the last frame in the queue waits, milliseconds. */
  readonly queuedMillis: number;
  readonly peakBacklogBytes: number;
  /** Frames that the far interface did not take: it is down, or out of memory. */
  readonly refused: number;
  /** Frames that an attacker added. */
  readonly attacks: Readonly<Record<Attack, number>>;
}

export interface EmulatorCounters {
  readonly cables: readonly (readonly [DirectionCounters, DirectionCounters])[];
  /** Processor time of the emulator since its start, and its age, microseconds. */
  readonly cpuMicros: number;
  readonly ageMicros: number;
}

export type EmulatorAnswer =
  | { readonly id: number; readonly counters?: EmulatorCounters }
  | { readonly id: number; readonly error: string };

export function decodeLine<T>(line: string): T {
  return JSON.parse(line, (_, value) => (value === null ? Number.POSITIVE_INFINITY : value)) as T;
}
