/** The report as `show --json` and the status page have it: the snapshot's fields beside the process's, and the findings under `health`. */
import { findings } from "./health.ts";
import type { TunnelReport } from "./report.ts";

export function jsonReport(report: TunnelReport) {
  const { snapshot, ...rest } = report;
  return { ...rest, ...snapshot, health: findings(report) };
}
