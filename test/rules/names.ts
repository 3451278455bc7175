// Names with two meanings: a type that two files declare, and files of one name in several rooms.

import { posix } from "node:path";
import type { SourceFile } from "./sources.ts";

const TYPE = /^(?:export )?(?:abstract )?(?:class|interface|type) (\w+)/gm;
/** Folders whose files are the same thing for one system each. */
const SYSTEMS = /\/(linux|freebsd)\//;

/** Returns the names of exported types that another file declares as well, each with its files. */
export function typesDeclaredTwice(files: readonly SourceFile[]): string[] {
  const exported = new Set(
    files.flatMap(({ text }) =>
      [...text.matchAll(TYPE)].filter(([line]) => line.startsWith("export")).map(([, name]) => name as string),
    ),
  );
  return repeated(
    files.flatMap(({ path, text }) => [...text.matchAll(TYPE)].map(([, name]) => [name as string, path] as const)),
  ).filter((line) => exported.has(line.split(":")[0] as string));
}

/** Returns the names that files of several folders have, each with its files; what differs by system may be called alike. */
export function filesNamedAlike(files: readonly SourceFile[]): string[] {
  const named = files
    .filter(({ path }) => !SYSTEMS.test(path))
    .map(({ path }) => [posix.basename(path), path] as const);
  return repeated(named);
}

function repeated(pairs: readonly (readonly [name: string, path: string])[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const [name, path] of pairs) places.set(name, (places.get(name) ?? new Set()).add(path));
  return [...places]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].join(", ")}`)
    .sort();
}
