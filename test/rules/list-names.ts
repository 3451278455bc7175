// bun test/rules/list-names.ts: lists types that two files declare and files that share a name. With --root DIR another
// check-out is looked at.

import { parseArgs } from "node:util";
import { filesNamedAlike, typesDeclaredTwice } from "./names.ts";
import { ROOT, sourceFiles } from "./sources.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const files = sourceFiles(["src", "ffi"], values.root ?? ROOT);
const types = typesDeclaredTwice(files);
const names = filesNamedAlike(files);
for (const line of [...types, ...names]) console.log(line);
console.log(`\n${types.length} types, ${names.length} files`);
