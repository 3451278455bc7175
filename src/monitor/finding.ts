/** What a health check says. */
import type { TunnelReport } from "./tunnel-report.ts";

/** `problem`: something does not work; `warning`: it works less well than it could; `note`: worth knowing. */
export type Severity = "problem" | "warning" | "note";

/** Names of the checks: stable, for scripts; docs/troubleshooting.md has a row for each. A name is never reused. */
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
  "socket-buffers",
  "late",
  "exchange-refused",
  "by-hand",
  "parts",
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];

export interface Finding {
  readonly severity: Severity;
  readonly check: CheckName;
  /** Name of the link or path, or of the interface. */
  readonly subject: string;
  /** What is the matter, with the figures. */
  readonly text: string;
  /** What to do about it. */
  readonly advice: string;
}

/** Looks at a report for one kind of trouble; an empty list is good news. Pure. */
export type Check = (report: TunnelReport) => Finding[];
