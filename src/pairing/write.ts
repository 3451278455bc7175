/** Writes a configuration and its token for the owner alone, and overwrites nothing unless forced. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { formatFaults } from "../config/fault.ts";
import { validateConfiguration } from "../config/load.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { replaceFile } from "../host/replace-file.ts";

const MODE = 0o600;

/**
 * Writes `text` to `path`; an old file is kept as `path.bak`.
 * @throws NetcombinerError `CANT_CREATE` if the file exists and `isForced` is false, or if the system refuses
 */
export function writeConfiguration(path: string, text: string, isForced: boolean): void {
  const { faults } = validateConfiguration({ text, mode: MODE }, path, () => ({ problem: "no such file" }));
  if (faults.length > 0) throw new NetcombinerError(formatFaults(path, faults), EXIT.CONFIG);
  assertReplaceable(path, isForced);
  place(path, text, true);
}

/** @throws NetcombinerError `CANT_CREATE` if the file exists and `isForced` is false */
export function assertReplaceable(path: string, isForced: boolean): void {
  if (existsSync(path) && !isForced) {
    throw new NetcombinerError(
      `${path} exists already; --force replaces it and keeps the old one as ${path}.bak`,
      EXIT.CANT_CREATE,
    );
  }
}

/** Returns the path where the token of a remote portal's configuration is kept, so that it can be printed again. */
export function tokenPath(configurationPath: string): string {
  return `${configurationPath.replace(/\.conf$/, "")}.token`;
}

/** Writes the token beside the configuration. @throws NetcombinerError if the system refuses */
export function keepToken(configurationPath: string, token: string): void {
  place(tokenPath(configurationPath), `${token}\n`, false);
}

/** Removes the token; returns false if there was none. */
export function removeToken(configurationPath: string): boolean {
  const path = tokenPath(configurationPath);
  const isThere = existsSync(path);
  rmSync(path, { force: true });
  return isThere;
}

/**
 * Writes the local portal's public key into the configuration, in the place of `join`, and changes nothing else.
 * @throws NetcombinerError if no key is awaited there, or the system refuses
 */
export function setPeerKey(path: string, publicKey: string): void {
  const text = readFileSync(path, "utf8");
  const fresh = text.replace(/^(\s*PublicKey\s*=\s*)join\b/im, `$1${publicKey}`);
  if (fresh === text) throw new NetcombinerError(`${path} does not say "PublicKey = join"`, EXIT.CONFIG);
  place(path, fresh, false);
}

/** Returns the token, or undefined if it was removed. */
export function readToken(configurationPath: string): string | undefined {
  const path = tokenPath(configurationPath);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Replaces the file at once: a reader never sees half of it. */
function place(path: string, text: string, keepsOld: boolean): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (keepsOld && existsSync(path)) replaceFile(`${path}.bak`, readFileSync(path, "utf8"), MODE);
    replaceFile(path, text, MODE);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot write ${path}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}
