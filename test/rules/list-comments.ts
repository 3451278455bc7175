// bun test/rules/list-comments.ts [folder…]: lists the doc comments that are no sentence, and counts them by folder.
// With --root DIR another check-out is looked at.

import { parseArgs } from "node:util";
import { commentFault, docComments } from "./comments.ts";
import { ROOT, sourceFiles } from "./sources.ts";

const { values, positionals } = parseArgs({ options: { root: { type: "string" } }, allowPositionals: true });
const folders =
  positionals.length > 0 ? positionals.map((folder) => folder.replace(/\/$/, "")) : ["src", "ffi", "build"];

const counts = new Map<string, number>();
let total = 0;
for (const file of sourceFiles(folders, values.root ?? ROOT)) {
  for (const comment of docComments(file)) {
    total++;
    const fault = commentFault(comment);
    if (fault === undefined) continue;
    const folder = file.path
      .split("/")
      .slice(0, file.path.startsWith("src/portal/") ? 3 : 2)
      .join("/");
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
    console.log(`${comment.path}:${comment.line}: ${fault}: ${comment.text}`);
  }
}
console.log("");
for (const [folder, count] of [...counts].sort()) console.log(`${String(count).padStart(5)}  ${folder}`);
console.log(`${[...counts.values()].reduce((sum, count) => sum + count, 0)} of ${total} comments`);
