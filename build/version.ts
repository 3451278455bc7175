// Determines what a binary says about itself: the version of package.json, the commit it was built from, and the time of that commit.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

export interface BuildVersion {
  readonly version: string;
  /** Abbreviated commit, `-dirty` behind it when tracked files were changed; empty outside a git repository. */
  readonly commit: string;
}

export function buildVersion(): BuildVersion {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const commit = git(["rev-parse", "--short=12", "HEAD"]);
  const isDirty = commit !== "" && git(["status", "--porcelain", "--untracked-files=no"]) !== "";
  return { version, commit: isDirty ? `${commit}-dirty` : commit };
}

/** Returns the output of git; empty when git is missing or this is not a repository, so that an archive can be built too. */
function git(args: readonly string[]): string {
  try {
    const result = Bun.spawnSync(["git", ...args], { cwd: ROOT, stdin: "ignore", stderr: "ignore" });
    return result.exitCode === 0 ? result.stdout.toString().trim() : "";
  } catch {
    return "";
  }
}

/** Time of a build without git: 2026-01-01. */
const UNKNOWN_DATE = 1_767_225_600;

/**
 * Returns the time that every packaged file carries, seconds since 1970: `SOURCE_DATE_EPOCH` (reproducible-builds.org) if it is set, else
 * the time of the commit, so that the same commit gives the same bytes.
 */
export function sourceDate(environment: NodeJS.ProcessEnv = process.env): number {
  const given = environment.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (!/^\d{1,10}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH must be seconds since 1970; given ${given}`);
    return Number(given);
  }
  const time = git(["log", "-1", "--format=%ct"]);
  return time === "" ? UNKNOWN_DATE : Number(time);
}
