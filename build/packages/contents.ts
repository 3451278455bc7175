// Describes what a package installs, independently of its format: paths, modes and bytes.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { manualPages, shellCompletion } from "../manuals.ts";
import type { ReleaseKey } from "../signing/release-key.ts";

const ROOT = join(import.meta.dir, "..", "..");

export interface InstalledFile {
  /** Absolute path on the machine. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
  /** True if the user may change it, so that an upgrade must not overwrite it. */
  readonly isConfiguration?: boolean;
}

/** Folder that the package creates, and that not every system has. */
export interface InstalledFolder {
  readonly path: string;
  readonly mode: number;
}

export interface Contents {
  readonly files: readonly InstalledFile[];
  readonly folders: readonly InstalledFolder[];
}

/** Input of every package format. */
export interface PackageInput {
  /** The program, compiled for the package's machine. It must not be stripped, which would remove the program from its runtime. */
  readonly binary: Uint8Array;
  /** Version of package.json. */
  readonly version: string;
  /** Time of every file, seconds since 1970, so that the same input gives the same bytes. */
  readonly sourceDate: number;
  /** Bill of materials of the binary, in the format of `sbom.ts`. */
  readonly sbom: string;
  /** Key that signs the package itself, in formats that have a place for it. */
  readonly key?: ReleaseKey | undefined;
  /** `smallest` takes most of a minute for each binary; `fast` is for tests. */
  readonly compression: Compression;
}

export type Compression = "smallest" | "fast";

export interface BuiltPackage {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/** Name of the bill of materials in a package; CycloneDX recommends the extension. */
export const SBOM_NAME = "netcombiner.cdx.json";

export const SUMMARY = "combines several Internet links into one tunnel";

/** Description in lines of at most 75 characters, for terminals. */
export const DESCRIPTION = [
  "netcombiner joins several Internet links into one tunnel between a host",
  "that has them and one with a single good connection. A single transfer can",
  "use the sum of all links, and connections stay up when a link fails.",
] as const;

export const MAINTAINER = "netcombiner contributors <maintainers@netcombiner.invalid>";

/** Returns a file of this repository. */
export function source(path: string): Uint8Array {
  return readFileSync(join(ROOT, path));
}

/** Returns a script or a document of this repository, with `@NAME@` replaced if `values` has NAME. */
export function sourceText(path: string, values: Readonly<Record<string, string>> = {}): string {
  const text = new TextDecoder().decode(source(path));
  return text.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Compresses with gzip, without name and time, so that the result is reproducible. */
export function gzip(content: Uint8Array<ArrayBuffer>, compression: Compression = "smallest"): Uint8Array {
  return Bun.gzipSync(content, { level: compression === "smallest" ? 12 : 1, library: "libdeflate" });
}

/** Compresses with zstd, a fifth smaller than gzip. Level 19 is the highest that needs no more than 8 MB of memory to unpack. */
export function zstd(content: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array {
  return Bun.zstdCompressSync(content, { level: compression === "smallest" ? 19 : 1 });
}

export function file(path: string, content: Uint8Array | string, mode = 0o644): InstalledFile {
  return { path, mode, content: typeof content === "string" ? bytesOf(content) : content };
}

/** Returns README, security policy, changelog and documents below `folder`, the bill of materials, and the example configuration under the name that its system expects. */
export function documents(
  folder: string,
  { sbom }: PackageInput,
  exampleName = "examples/netcombiner.conf",
): InstalledFile[] {
  const guides = filesBelow("docs").filter((path) => path.endsWith(".md") && !path.startsWith("docs/decisions/"));
  return [
    file(posix.join(folder, exampleName), source("packaging/netcombiner.conf.example")),
    file(posix.join(folder, SBOM_NAME), sbom),
    ...["README.md", "SECURITY.md", "CHANGELOG.md", ...guides].map((path) =>
      file(posix.join(folder, path), source(path)),
    ),
  ];
}

export interface ManualFolders {
  /** Folder that holds man1, man5 and man8. */
  readonly man: string;
  readonly bash: string;
  readonly zsh: string;
  readonly fish: string;
}

/** Returns the compressed manual pages and the shell completions in the folders where the system looks for them. */
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

/** Returns the paths of files below `folder` from the root of the repository, sorted; none if there is no such folder. */
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

/** Returns the size of all files, bytes. */
export function installedSize({ files }: Contents): number {
  return files.reduce((sum, { content }) => sum + content.length, 0);
}
