// bun test/rules/list-dead.ts: lists exports and members of src and ffi that the program does not use. With --root DIR
// another check-out is looked at.

import { parseArgs } from "node:util";
import { deadNames } from "./dead.ts";
import { ROOT } from "./sources.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const found = await deadNames(values.root ?? ROOT);
for (const { path, line, name, reason } of found) console.log(`${path}:${line}: ${name}: ${reason}`);
console.log(`\n${found.length} dead`);
