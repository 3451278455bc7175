/** Runs the health checks. */
import { LINK_CHECKS } from "./checks/link-checks.ts";
import { PATH_CHECKS } from "./checks/path-checks.ts";
import { TUNNEL_CHECKS } from "./checks/tunnel-checks.ts";
import type { Check, Finding, Severity } from "./finding.ts";
import type { TunnelReport } from "./tunnel-report.ts";

const CHECKS: readonly Check[] = [...TUNNEL_CHECKS, ...LINK_CHECKS, ...PATH_CHECKS];

const ORDER: readonly Severity[] = ["problem", "warning", "note"];

/** Returns everything that the checks find in a report, the worst first. */
export function findings(report: TunnelReport): Finding[] {
  const found = CHECKS.flatMap((check) => check(report));
  return found.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** Returns the report as `show --json` and the status page have it: the snapshot's fields beside the process's, and the findings under `health`. */
export function jsonReport(report: TunnelReport) {
  const { snapshot, ...rest } = report;
  return { ...rest, ...snapshot, health: findings(report) };
}
