// Turns the files of a package into entries of an archive, every folder before its contents.

import { posix } from "node:path";
import type { TarEntry } from "../formats/tar.ts";
import type { Contents } from "./contents.ts";

/** Returns the entries. @param prefix put before the path without its "/": "./" for Debian, "" for a plain archive */
export function treeEntries({ files, folders }: Contents, prefix: string): TarEntry[] {
  const modes = new Map(folders.map(({ path, mode }) => [path, mode]));
  const name = (path: string) => prefix + path.slice(1);
  const directories = directoriesOf({ files, folders }).map((path): TarEntry => {
    return { type: "directory", name: path === "/" ? prefix : `${name(path)}/`, mode: modes.get(path) ?? 0o755 };
  });
  const contents = [...files].sort(byPath).map(({ path, mode, content }): TarEntry => {
    return { type: "file", name: name(path), mode, content };
  });
  // A plain archive has no entry for its root, whose name would be empty.
  return [...directories.filter((entry) => entry.name !== ""), ...contents];
}

/** Returns every folder from "/" on, sorted, so that each stands before those in it. */
export function directoriesOf({ files, folders }: Contents): string[] {
  const paths = [...files.map(({ path }) => posix.dirname(path)), ...folders.map(({ path }) => path)];
  return [...new Set(paths.flatMap(withParents))].sort();
}

/** Compares two files by path. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** Returns `/`, `/a` and `/a/b` for `/a/b`. */
function withParents(path: string): string[] {
  return path === "/" ? ["/"] : [...withParents(posix.dirname(path)), path];
}
