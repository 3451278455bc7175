// bun test/model/run.ts [attempts answers restarts rekeys disclosures]: explores the model within wider bounds than the tests and says what it found.

import { explore } from "./explore.ts";
import { DESIGN } from "./moves.ts";

const [attempts = 2, answers = 3, restarts = 1, rekeys = 1, disclosures = 1] = process.argv.slice(2).map(Number);
for (const privates of [["psk"], ["sI", "psk"], ["sR", "psk"]]) {
  const started = performance.now();
  const { states, broken } = explore(DESIGN, { attempts, answers, restarts, rekeys, disclosures }, privates);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `known: ${privates.join(", ")}: ${states} states in ${seconds} s: ${broken?.claim ?? "every claim holds"}`,
  );
  for (const step of broken?.steps ?? []) console.log(`  ${step}`);
  if (broken) process.exitCode = 1;
}
