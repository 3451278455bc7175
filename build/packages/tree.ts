// The files of a package as entries of an archive, every folder before what is in it.

import { posix } from "node:path";
import type { TarEntry } from "../formats/tar.ts";
import type { Contents } from "./contents.ts";

/** @param prefix what stands before the path without its "/": "./" for Debian, "" for a plain archive */
export function treeEntries({ files, folders }: Contents, prefix: string): TarEntry[] {
  const modes = new Map(folders.map(({ path, mode }) => [path, mode]));
  const name = (path: string) => prefix + path.slice(1);
  const directories = directoriesOf({ files, folders }).map((path): TarEntry => {
    return { type: "directory", name: path === "/" ? prefix : `${name(path)}/`, mode: modes.get(path) ?? 0o755 };
  });
  const contents = [...files].sort(byPath).map(({ path, mode, content }): TarEntry => {
    return { type: "file", name: name(path), mode, content };
  });
  // "" names nothing: a plain archive has no entry for its root.
  return [...directories.filter((entry) => entry.name !== ""), ...contents];
}

/** Every folder from "/" on, sorted, so that each stands before those in it. */
export function directoriesOf({ files, folders }: Contents): string[] {
  const paths = [...files.map(({ path }) => posix.dirname(path)), ...folders.map(({ path }) => path)];
  return [...new Set(paths.flatMap(withParents))].sort();
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** `/a/b` and `/a` and `/`. */
function withParents(path: string): string[] {
  return path === "/" ? ["/"] : [...withParents(posix.dirname(path)), path];
}
