/**
 * An experiment is what is measured, in one form for the lab and the simulator: links, who carries the traffic over them, the traffic, and
 * what happens to the links meanwhile. A part of the evaluation is a list of these; a stage runs them.
 */

import type { Micros } from "../../src/clock.ts";
import type { SuiteName } from "../../src/security/suite.ts";
import type { LinkShape } from "../sim/link-model.ts";

/** Up is from the client, behind the local portal, to the server. */
export type Way = "up" | "down";
export const WAYS: readonly Way[] = ["down", "up"];

/**
 * `adaptive`: the tunnel as it is without any setting. `greedy`: the dissertation's, greedy pull and New Reno.
 * `alone`: no tunnel; each link carries a flow of its own.
 */
export const CARRIERS = ["adaptive", "greedy", "alone"] as const;
export type Carrier = (typeof CARRIERS)[number];

/** A change of one link while traffic runs; seconds count from the beginning of the traffic. */
export interface Step {
  readonly at: number;
  readonly link: number;
  readonly change: Partial<LinkShape> | "cut" | "restore";
}

export interface Experiment {
  /** Both directions of a link have this shape. */
  readonly links: readonly LinkShape[];
  readonly carrier: Carrier;
  readonly way: Way;
  readonly seconds: number;
  readonly seed: number;
  /** TCP flows as fast as they go; with `alone`, one for each link. Default: 1. */
  readonly flows?: number;
  /** Congestion control of the hosts; default: CUBIC. */
  readonly control?: "cubic" | "bbr";
  /** One-way delay between the remote portal and the server. */
  readonly distance?: Micros;
  /** A ping from the client every 20 ms beside the rest. With `alone`, over the first link. */
  readonly hasPing?: boolean;
  /** The dissertation's TCP ping and pong beside the rest. */
  readonly hasPingPong?: boolean;
  /** UDP at so many bits per second, in the direction of `way`. */
  readonly stream?: number;
  readonly steps?: readonly Step[];
}

/** Goodput of one flow as its receiver counted it, Mbit/s: by tenths of a second, as a whole, and after the first 2 s. */
export interface FlowOutcome {
  readonly series: readonly number[];
  readonly mbits: number;
  readonly steadyMbits: number;
}

export interface PingOutcome {
  readonly sent: number;
  /** When each answered ping was sent, seconds from the beginning of the traffic, and its round trip in milliseconds. */
  readonly answers: readonly (readonly [at: number, millis: number])[];
}

export interface StreamOutcome {
  readonly sent: number;
  readonly received: number;
  readonly longestGapMillis: number;
  /** When each lost datagram was sent, seconds from the beginning. */
  readonly lostAt: readonly number[];
}

/** Processor time while the traffic ran, as a share of one core. */
export interface Load {
  readonly emulator: number;
  readonly localPortal: number;
  readonly remotePortal: number;
  /** The whole machine; its cores together are `cores`. */
  readonly machine: number;
  readonly cores: number;
}

export interface Outcome {
  /** The suite of the tunnel's paths; undefined without a tunnel. */
  readonly suite?: SuiteName | undefined;
  readonly flows: readonly FlowOutcome[];
  readonly ping?: PingOutcome | undefined;
  /** Seconds at which pongs came. */
  readonly pongs?: readonly number[] | undefined;
  readonly stream?: StreamOutcome | undefined;
  /** Retransmission timeouts and retransmitted segments of the hosts' TCP during the traffic. */
  readonly timeouts: number;
  readonly retransmitted: number;
  /** Only where time is real. */
  readonly load?: Load | undefined;
}

/** A place to run experiments. */
export interface Stage {
  readonly name: StageName;
  /** Experiments that may run at a time without disturbing each other. */
  readonly lanes: number;
  run(experiment: Experiment): Promise<Outcome>;
  stop(): void;
}

export type StageName = "lab" | "sim";

/** Returns the time at the beginning of a transfer that the second figure leaves out, seconds; less for a short one. */
export function settlingTime(seconds: number): number {
  return Math.min(2, seconds / 3);
}

/** Returns the mean of a series of tenths of a second between two times, Mbit/s. */
export function meanBetween(series: readonly number[], from: number, until: number): number {
  const part = series.slice(Math.round(from * 10), Math.round(until * 10));
  return part.reduce((sum, mbits) => sum + mbits, 0) / Math.max(1, part.length);
}
