// usage: bun test/rules/list-wings.ts : boxes and arrows of src/portal, by wing and by file

import { sourceFiles } from "./sources.ts";
import { pictureOf, wingOf } from "./wings.ts";

const files = sourceFiles(["src/portal"]);
const inside = new Set(files.map((file) => file.path));
const show = (name: string, boxOf: (path: string) => string | undefined): void => {
  const { boxes, arrows, inCycles } = pictureOf(files, boxOf);
  console.log(`${name}: ${boxes} boxes, ${arrows} arrows, ${inCycles.length} boxes in cycles ${inCycles.join(" ")}`);
};
show("wings", wingOf);
show("files", (path) => (inside.has(path) ? path : undefined));
