// The wings of src/portal as data: which may import which. `portal` is portal.ts, which joins the wings; `common` what stands beside it.

import { posix } from "node:path";
import { importsOf, type SourceFile } from "./sources.ts";

const FOLDER = "src/portal/";

/** What each wing may import besides itself. No arrow back, and none between the wings that move packets. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  portal: ["links", "sending", "receiving", "reporting", "common"],
  reporting: ["links", "sending", "receiving", "common"],
  links: ["common"],
  sending: ["common"],
  receiving: ["common"],
  common: [],
};

/** The wing that a file of the portal belongs to, undefined for any other file. */
export function wingOf(path: string): string | undefined {
  if (!path.startsWith(FOLDER)) return undefined;
  const [folder = "", file] = path.slice(FOLDER.length).split("/");
  if (file === undefined) return folder === "portal.ts" ? "portal" : "common";
  return folder in ALLOWED ? folder : undefined;
}

/** Imports of `file` that lead from one wing into another that it must not know, one sentence each. */
export function wingFaults(file: SourceFile): string[] {
  if (!file.path.startsWith(FOLDER)) return [];
  const wing = wingOf(file.path);
  if (wing === undefined) return [`${file.path} belongs to no wing in test/rules/wings.ts`];
  const wrong = targetsOf(file).filter((target) => {
    const other = wingOf(target);
    return other !== undefined && other !== wing && !ALLOWED[wing]?.includes(other);
  });
  return wrong.map((target) => `${file.path} imports ${target}: ${wing} must not know ${wingOf(target)}`);
}

export interface Picture {
  readonly boxes: number;
  readonly arrows: number;
  /** Boxes that lead back to themselves. */
  readonly inCycles: readonly string[];
}

/** Boxes and arrows that the imports among `files` make, once each file is put into the box that `boxOf` names. */
export function pictureOf(files: readonly SourceFile[], boxOf: (path: string) => string | undefined): Picture {
  const arrows = new Map<string, Set<string>>();
  for (const file of files) {
    const box = boxOf(file.path);
    if (box === undefined) continue;
    const known = arrows.get(box) ?? new Set();
    arrows.set(box, known);
    for (const target of targetsOf(file)) {
      const other = boxOf(target);
      if (other !== undefined && other !== box) known.add(other);
    }
  }
  const count = [...arrows.values()].reduce((sum, targets) => sum + targets.size, 0);
  const inCycles = [...arrows.keys()].filter((box) => reachable(arrows, box).has(box));
  return { boxes: arrows.size, arrows: count, inCycles };
}

function reachable(arrows: ReadonlyMap<string, ReadonlySet<string>>, from: string): Set<string> {
  const found = new Set<string>();
  const open = [...(arrows.get(from) ?? [])];
  for (let box = open.pop(); box !== undefined; box = open.pop()) {
    if (found.has(box)) continue;
    found.add(box);
    open.push(...(arrows.get(box) ?? []));
  }
  return found;
}

function targetsOf(file: SourceFile): string[] {
  const relative = importsOf(file.text).filter(({ specifier }) => specifier.startsWith("."));
  return relative.map(({ specifier }) => posix.join(posix.dirname(file.path), specifier));
}
