/** Tests that could not be judged: told where they ran, and to `npm test`, which counts and lists them at its end. */
import { appendFileSync } from "node:fs";

/** Names the file that tests write to and `build/tests.ts` reads, a line each. */
export const INCONCLUSIVE_FILE = "NC_INCONCLUSIVE_FILE";

export function noteInconclusive(name: string, why: string): void {
  console.log(`(inconclusive) ${name}: ${why}`);
  const path = process.env[INCONCLUSIVE_FILE];
  if (path) appendFileSync(path, `${name}: ${why.replaceAll("\n", " ")}\n`);
}
