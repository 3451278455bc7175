// What a binary says about itself: the version of package.json and the commit it was built from.

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

/** Empty when git is missing or this is not a repository: a build from an archive is a build all the same. */
function git(args: readonly string[]): string {
  try {
    const result = Bun.spawnSync(["git", ...args], { cwd: ROOT, stdin: "ignore", stderr: "ignore" });
    return result.exitCode === 0 ? result.stdout.toString().trim() : "";
  } catch {
    return "";
  }
}
