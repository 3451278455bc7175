/** Puts a configuration, and its token, in its place: for its owner alone, and never over another unless that is asked for. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { formatFaults } from "../config/fault.ts";
import { validateConfiguration } from "../config/load.ts";
import { EXIT, NetcombinerError } from "../errors.ts";

const MODE = 0o600;

/**
 * Writes `text` to `path`; what was there is kept as `path.bak`.
 * @throws NetcombinerError `CANT_CREATE` when a file is there and `isForced` is not, or when the system refuses
 */
export function writeConfiguration(path: string, text: string, isForced: boolean): void {
  const { faults } = validateConfiguration({ text, mode: MODE }, path, () => ({ problem: "no such file" }));
  if (faults.length > 0) throw new NetcombinerError(formatFaults(path, faults), EXIT.CONFIG);
  if (existsSync(path) && !isForced) {
    throw new NetcombinerError(
      `${path} is there already; --force replaces it and keeps the old one as ${path}.bak`,
      EXIT.CANT_CREATE,
    );
  }
  place(path, text, true);
}

/** Where the token of a remote portal's configuration is kept, so that it can be shown again. */
export function tokenPath(configurationPath: string): string {
  return `${configurationPath.replace(/\.conf$/, "")}.token`;
}

/** @throws NetcombinerError when the system refuses */
export function keepToken(configurationPath: string, token: string): void {
  place(tokenPath(configurationPath), `${token}\n`, false);
}

/** Undefined when it was removed. */
export function readToken(configurationPath: string): string | undefined {
  const path = tokenPath(configurationPath);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Whole or not at all. */
function place(path: string, text: string, keepsOld: boolean): void {
  const fresh = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // Never into a file that is there, whose mode and owner may be others.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { mode: MODE, flag: "wx" });
    if (keepsOld && existsSync(path)) renameSync(path, `${path}.bak`);
    renameSync(fresh, path);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot write ${path}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}
