/** A person's questions to a running tunnel and their answers; plain values, as they cross between threads. */
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";

export type Query =
  /** Round trips by every path, and by the best. */
  | { readonly kind: "ping"; readonly wait: Micros }
  /** A place at the peer for a speed test of at most so long. */
  | { readonly kind: "responder"; readonly secret: Uint8Array; readonly seconds: number; readonly wait: Micros }
  /** Packets both ways by this link alone, for so long; undefined for all again. */
  | { readonly kind: "alone"; readonly link: number | undefined; readonly seconds: number };

export interface Echo {
  readonly link: number;
  /** The path it went out by. */
  readonly path: string;
  readonly remote: string;
  /** Out by the path that a lone packet would take, and back by the peer's. */
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
