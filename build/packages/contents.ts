// What a package puts on a machine, before any format has a say in it: paths, modes and bytes.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { manualPages, shellCompletion } from "../manuals.ts";

const ROOT = join(import.meta.dir, "..", "..");

export interface InstalledFile {
  /** Absolute, as on the machine. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
  /** The user may change it; an upgrade must not overwrite that. */
  readonly isConfiguration?: boolean;
}

/** A folder that the package makes, and that is not there on every system. */
export interface InstalledFolder {
  readonly path: string;
  readonly mode: number;
}

export interface Contents {
  readonly files: readonly InstalledFile[];
  readonly folders: readonly InstalledFolder[];
}

/** Everything a writer of packages needs to know. */
export interface PackageInput {
  /** The program, compiled for the package's machine. It is never stripped: that would remove the program from its runtime. */
  readonly binary: Uint8Array;
  /** Version of package.json. */
  readonly version: string;
  /** Seconds since 1970 that every file carries, so that the same input gives the same bytes. */
  readonly sourceDate: number;
  /** `smallest` takes most of a minute for each binary; `fast` is for tests. */
  readonly compression: Compression;
}

export type Compression = "smallest" | "fast";

export interface BuiltPackage {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

export const SUMMARY = "combines several Internet links into one tunnel";

/** Lines of at most 75 characters, for a list of packages in a terminal. */
export const DESCRIPTION = [
  "netcombiner joins several Internet links into one tunnel between a host",
  "that has them and one with a single good connection. A single transfer can",
  "use the sum of all links, and connections stay up when a link fails.",
] as const;

export const MAINTAINER = "netcombiner contributors <maintainers@netcombiner.invalid>";

/** A file of this repository. */
export function source(path: string): Uint8Array {
  return readFileSync(join(ROOT, path));
}

/** A script or a document of this repository, with `@NAME@` replaced where `values` has NAME. */
export function sourceText(path: string, values: Readonly<Record<string, string>> = {}): string {
  const text = new TextDecoder().decode(source(path));
  return text.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Compressed for a reader of `.gz` files, with neither name nor time in it. */
export function gzip(content: Uint8Array<ArrayBuffer>, compression: Compression = "smallest"): Uint8Array {
  return Bun.gzipSync(content, { level: compression === "smallest" ? 12 : 1, library: "libdeflate" });
}

/** A fifth smaller than gzip. Level 19 is the highest that needs no more than 8 MB of memory to unpack. */
export function zstd(content: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array {
  return Bun.zstdCompressSync(content, { level: compression === "smallest" ? 19 : 1 });
}

export function file(path: string, content: Uint8Array | string, mode = 0o644): InstalledFile {
  return { path, mode, content: typeof content === "string" ? bytesOf(content) : content };
}

/** README, changelog and documents below `folder`, with the example configuration under the name that its system expects. */
export function documents(folder: string, exampleName = "examples/netcombiner.conf"): InstalledFile[] {
  const guides = filesBelow("docs").filter((path) => path.endsWith(".md") && !path.startsWith("docs/decisions/"));
  return [
    file(posix.join(folder, exampleName), source("packaging/netcombiner.conf.example")),
    ...["README.md", "CHANGELOG.md", ...guides].map((path) => file(posix.join(folder, path), source(path))),
  ];
}

export interface ManualFolders {
  /** The folder that holds man1, man5, man8. */
  readonly man: string;
  readonly bash: string;
  readonly zsh: string;
  readonly fish: string;
}

/** Manual pages, compressed, and shell completions, where these systems look for them. */
export function manuals(folders: ManualFolders): InstalledFile[] {
  const pages = manualPages().map(({ name, text }) => {
    return file(posix.join(folders.man, `man${name.slice(-1)}`, `${name}.gz`), gzip(bytesOf(text)));
  });
  return [
    ...pages,
    file(posix.join(folders.bash, "netcombiner"), shellCompletion("bash")),
    file(posix.join(folders.zsh, "_netcombiner"), shellCompletion("zsh")),
    file(posix.join(folders.fish, "netcombiner.fish"), shellCompletion("fish")),
  ];
}

/** Files below `folder` by path from the root of the repository, sorted; none when there is no such folder. */
function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return paths.map((path) => posix.join(folder, path.slice(join(ROOT, folder).length + 1))).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Bytes of all files. */
export function installedSize({ files }: Contents): number {
  return files.reduce((sum, { content }) => sum + content.length, 0);
}
