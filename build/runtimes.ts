// Fetches the Bun runtimes of other machines, about 100 MB each, when a build needs them.
//
// They are optional dependencies of the `bun` package, so package-lock.json already holds their versions and integrity
// hashes; npm merely does not install those of other machines. npm downloads them from the registry that it is configured
// for, and each is checked against the lock file before use.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

const ROOT = join(import.meta.dir, "..");
const CACHE = join(ROOT, ".cache", "runtimes");

interface LockEntry {
  readonly version: string;
  /** Subresource integrity, `sha512-<base64>`. */
  readonly integrity: string;
}

function lockEntry(packageName: string): LockEntry {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const entry = lock.packages?.[`node_modules/${packageName}`];
  if (!entry?.version || !entry.integrity) throw new Error(`package-lock.json does not name ${packageName}`);
  return entry;
}

/**
 * Returns the path of the Bun executable for `target`, and downloads it into the cache if it is not there yet.
 * Throws when npm cannot download it, or when the download does not match the lock file.
 */
export function runtimePath(target: Target): string {
  const entry = lockEntry(target.runtimePackage);
  // The hash is part of the name, so that a changed lock file never uses an old download.
  const folder = join(CACHE, `${target.name}-${entry.version}-${fingerprint(entry)}`);
  const executable = join(folder, "bun");
  if (!existsSync(executable)) download(target, entry, folder);
  return executable;
}

function fingerprint(entry: LockEntry): string {
  return createHash("sha256").update(entry.integrity).digest("hex").slice(0, 12);
}

function download(target: Target, entry: LockEntry, folder: string): void {
  const wanted = `${target.runtimePackage}@${entry.version}`;
  console.log(`fetching ${wanted}`);
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, "fetch-"));
  try {
    const answer = run(["npm", "pack", wanted, "--json", "--pack-destination", scratch], { cwd: scratch });
    const archive = join(scratch, JSON.parse(answer)[0].filename);
    checkIntegrity(readFileSync(archive), entry.integrity, wanted);
    run(["tar", "-xzf", archive, "-C", scratch, "package/bin/bun"]);
    // Renamed last, so that an interrupted download leaves no incomplete runtime behind.
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(scratch, "package", "bin"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Throws unless `bytes` have the subresource integrity `integrity` (`sha512-<base64>`). */
export function checkIntegrity(bytes: Uint8Array, integrity: string, what: string): void {
  const [algorithm = ""] = integrity.split("-", 1);
  if (algorithm !== "sha512") throw new Error(`${what}: integrity is not a sha512: ${integrity}`);
  const found = `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
  if (found !== integrity) throw new Error(`${what}: integrity is ${found}, package-lock.json says ${integrity}`);
}
