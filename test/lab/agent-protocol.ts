/**
 * The protocol between a test and a traffic agent: one JSON object a line. The agent, one a place, makes traffic with the
 * kernel's own TCP, UDP and ICMP. Every transfer has a token; both ends tell under it what they see. Times are
 * microseconds of CLOCK_MONOTONIC, which all places of one machine share.
 */
import type { Micros } from "../../src/clock.ts";

export type AgentOrder =
  /** Serves every kind of TCP transfer at a port, and echoes or collects UDP at the same port. */
  | { readonly op: "serve"; readonly host: string; readonly port: number }
  /** Sends as fast as TCP allows (up), or asks the server to (down). */
  | {
      readonly op: "bulk";
      readonly token: number;
      readonly way: "up" | "down";
      readonly millis: number;
      readonly to: Ends;
    }
  /** ping<nonce> and pong<nonce> over one TCP connection, the next `pause` after the answer to the last. */
  | {
      readonly op: "pingpong";
      readonly token: number;
      readonly pause: number;
      readonly millis: number;
      readonly to: Ends;
    }
  /** UDP at a constant rate, one way. */
  | {
      readonly op: "stream";
      readonly token: number;
      readonly size: number;
      readonly perSecond: number;
      readonly millis: number;
      readonly to: Ends;
    };

export interface Ends {
  readonly from: string;
  readonly host: string;
  readonly port: number;
}

export type AgentReport =
  | { readonly kind: "ready" }
  /** Bytes that a receiver of a bulk transfer got since its last report. */
  | { readonly kind: "bytes"; readonly token: number; readonly at: Micros; readonly bytes: number }
  /** Answers to pings: when each came. */
  | { readonly kind: "pongs"; readonly token: number; readonly times: readonly Micros[] }
  /** Datagrams of a stream: number, when it was sent, when it came. */
  | {
      readonly kind: "datagrams";
      readonly token: number;
      readonly rows: readonly (readonly [number, Micros, Micros])[];
    }
  /** The end that began a transfer is done; `sent` counts datagrams. */
  | { readonly kind: "done"; readonly token: number; readonly sent: number }
  | { readonly kind: "failed"; readonly token: number; readonly reason: string };
