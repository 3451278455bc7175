/** Replaces files as root, in folders where others may write too. */
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Never an existing file, which may be another's, and never where a symbolic link leads. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const SUFFIX_SIZE = 8;

/**
 * Replaces the file at once: a reader sees all of the old one or all of the new one. A symbolic link at `path` is replaced itself.
 * @param suffix of the name beside it that the text is written to first; nobody can know it before
 * @throws the system's error, and then leaves nothing behind
 */
export function replaceFile(path: string, text: string, mode: number, suffix = randomSuffix()): void {
  const fresh = join(dirname(path), `.${basename(path)}.${suffix}`);
  const fd = openSync(fresh, NEW_FILE, mode);
  try {
    try {
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

function randomSuffix(): string {
  return randomBytes(SUFFIX_SIZE).toString("hex");
}
