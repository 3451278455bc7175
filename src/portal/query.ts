/** Questions a person may ask of a running tunnel, and their answers; plain values, as they cross between threads. */
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";

export type Query =
  /** Asks for the round-trip time of every path, and of the best. */
  | { readonly kind: "ping"; readonly wait: Micros }
  /** Asks the peer for a responder for a speed test of at most so long. */
  | { readonly kind: "responder"; readonly secret: Uint8Array; readonly seconds: number; readonly wait: Micros }
  /** Sends packets both ways by this link alone, for so long; undefined for all links again. */
  | { readonly kind: "alone"; readonly link: number | undefined; readonly seconds: number };

export interface Echo {
  readonly link: number;
  /** The path it went out by. */
  readonly path: string;
  readonly remote: string;
  /** True if it went out by the path that a single packet would take, and came back by the peer's. */
  readonly isBest: boolean;
  /** Undefined when no answer came in time. */
  readonly rtt: Micros | undefined;
  /** This end of the path as the peer sees it; empty where it does not tell. */
  readonly seen: string;
}

/** Where a speed test is answered, inside the tunnel. */
export interface Responder {
  readonly port: number;
  readonly addresses: readonly Endpoint[];
}

export interface Diagnosed {
  readonly echoes: readonly Echo[];
  readonly responder: { readonly port: number; readonly addresses: readonly string[] } | undefined;
}
