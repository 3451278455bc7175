/** Defines what a health check reports. */
import type { TunnelReport } from "./tunnel-report.ts";

/** A `problem` stops something from working, a `warning` makes it work less well than it could, a `note` is worth knowing. */
export type Severity = "problem" | "warning" | "note";

/** Names of the checks, stable for scripts: docs/troubleshooting.md has a row for each, and no name is ever reused. */
export const CHECK_NAMES = [
  "no-path",
  "link-never-up",
  "link-down",
  "link-flapping",
  "no-peer",
  "path-suspect",
  "bufferbloat",
  "loss-sent",
  "loss-received",
  "security-none",
  "keys-differ",
  "version-differs",
  "forged",
  "mtu",
  "memory",
  "host-full",
  "send-failed",
  "overload",
  "foreign-address",
  "socket-buffers",
  "late",
  "exchange-refused",
  "by-hand",
  "fragmented",
  "busy-machine",
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];

export interface Finding {
  readonly severity: Severity;
  readonly check: CheckName;
  /** Name of the link, the path or the interface. */
  readonly subject: string;
  /** Says what was found, with the figures. */
  readonly text: string;
  /** Says what to do about it. */
  readonly advice: string;
}

/** Looks at a report for one kind of trouble and returns an empty list when there is none. Pure. */
export type Check = (report: TunnelReport) => Finding[];
