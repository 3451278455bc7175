/** Reads a configuration file and the key files that it names. Every fault of all is reported at once. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import { EXIT, type ExitCode, NetcombinerError } from "../errors.ts";
import { buildConfiguration, type Configuration } from "./configuration.ts";
import { FILE_SIZE_MAX, LINKS_MAX } from "./defaults.ts";
import { type ConfigFault, formatFaults } from "./fault.ts";
import { type IniDocument, parseIni } from "./ini.ts";
import { collectKeyMaterial, type FileReader, type FoundFile, isOpenToOthers, showMode } from "./key-material.ts";
import { SECRET_KEYS } from "./schema.ts";
import { readSections } from "./sections.ts";

export type Validation =
  | { readonly configuration: Configuration; readonly faults: readonly [] }
  | { readonly configuration: undefined; readonly faults: readonly ConfigFault[] };

/** Returns the configuration in `path`. @throws NetcombinerError with every fault, one a line; `NO_INPUT` or `NO_PERMISSION` if it cannot be read, else `CONFIG` */
export function loadConfiguration(path: string): Configuration {
  const file = readConfigurationFile(path);
  const { configuration, faults } = validateConfiguration(file, path, readKeyFile);
  if (!configuration) throw new NetcombinerError(formatFaults(path, faults), EXIT.CONFIG);
  return configuration;
}

/** Returns the configuration or its faults. Pure except for `readKey`. */
export function validateConfiguration(file: FoundFile, path: string, readKey: FileReader): Validation {
  const document = parseIni(file.text);
  const sections = readSections(document);
  const faults = [...sections.faults];
  if (sections.peers.length > LINKS_MAX)
    faults.push({ line: 0, text: `Peer sections: max ${LINKS_MAX}; given ${sections.peers.length}` });
  if (holdsKey(document) && isOpenToOthers(file)) {
    faults.push({ line: 0, text: `holds a key and is open to others (${showMode(file.mode)}): chmod 600 ${path}` });
  }
  const keys = collectKeyMaterial(sections, (file) => readKey(resolve(dirname(path), file)), faults);
  if (faults.length > 0 || !sections.host) return { configuration: undefined, faults };
  const peers = sections.peers.map((peer) => peer.keys);
  return { configuration: buildConfiguration(sections.host.keys, keys, peers), faults: [] };
}

/** True if the file holds a secret, even in the wrong section or with other faults. */
function holdsKey(document: IniDocument): boolean {
  const secret = new Set([...SECRET_KEYS].map((name) => name.toLowerCase()));
  return document.sections.some((section) => section.entries.some((entry) => secret.has(entry.key.toLowerCase())));
}

function readConfigurationFile(path: string): FoundFile {
  try {
    return readBounded(path);
  } catch (error) {
    throw new NetcombinerError(`${path}: ${problemOf(error)}`, exitCodeOf(error), { cause: error });
  }
}

const readKeyFile: FileReader = (path) => {
  try {
    return readBounded(path);
  } catch (error) {
    return { problem: problemOf(error) };
  }
};

/** Returns mode and text of the same file, even while it is being replaced, and does not block on a FIFO. */
function readBounded(path: string): FoundFile {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    checkIsReadable(stats);
    return { text: readFileSync(fd, "utf8"), mode: stats.mode & 0o7777 };
  } finally {
    closeSync(fd);
  }
}

function checkIsReadable(stats: Stats): void {
  if (!stats.isFile()) throw new Error("not a regular file");
  if (stats.size > FILE_SIZE_MAX) throw new Error(`size: max ${FILE_SIZE_MAX} bytes; given ${stats.size}`);
}

const PROBLEMS: Record<string, readonly [string, ExitCode]> = {
  ENOENT: ["no such file", EXIT.NO_INPUT],
  ENOTDIR: ["no such file", EXIT.NO_INPUT],
  EACCES: ["permission denied", EXIT.NO_PERMISSION],
  EPERM: ["permission denied", EXIT.NO_PERMISSION],
};

function problemOf(error: unknown): string {
  return PROBLEMS[codeOf(error)]?.[0] ?? (error instanceof Error ? error.message : String(error));
}

function exitCodeOf(error: unknown): ExitCode {
  return PROBLEMS[codeOf(error)]?.[1] ?? EXIT.NO_INPUT;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
