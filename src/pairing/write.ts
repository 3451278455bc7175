/** Puts a configuration in its place: for its owner alone, whole or not at all, and never over another unless that is asked for. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
  const fresh = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // Never into a file that is there, whose mode and owner may be others.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { mode: MODE, flag: "wx" });
    if (existsSync(path)) renameSync(path, `${path}.bak`);
    renameSync(fresh, path);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot write ${path}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}
