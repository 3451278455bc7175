// The time that every packaged file carries. It is the commit's, so that whoever builds the same commit gets the same bytes.

import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");

/** What a build outside of git has: 2026-01-01. */
const UNKNOWN = 1_767_225_600;

/** Seconds since 1970: `SOURCE_DATE_EPOCH` (reproducible-builds.org) if it is set, else the time of the commit. */
export function sourceDate(environment: NodeJS.ProcessEnv = process.env): number {
  const given = environment.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (!/^\d{1,10}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH must be seconds since 1970; given ${given}`);
    return Number(given);
  }
  const result = Bun.spawnSync(["git", "log", "-1", "--format=%ct"], { cwd: ROOT, stdin: "ignore", stderr: "ignore" });
  return result.success ? Number(result.stdout.toString().trim()) : UNKNOWN;
}
