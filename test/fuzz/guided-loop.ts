// The loop of guided fuzzing, run by Node as one bundle: keeps inputs that reach new blocks, and changes those further.
//   node guided-loop.mjs TARGET COUNT SEED FOLDER
import "./node-shims.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { SeededRandom } from "../support/random.ts";
import { Coverage } from "./coverage.ts";
import { GUIDED, TRIALS } from "./guided-targets.ts";
import { mutate } from "./mutate.ts";
import type { Target } from "./target.ts";

/** Inputs tried on one state before a fresh one is made. */
const INPUTS_PER_STATE = 250;
/** Inputs between two looks at what was reached: a look costs as much as some twenty inputs. */
const BATCH = 16;
/** Inputs as the target draws them, with which the search begins; and the share of them later, so that it does not run dry. */
const FIRST = 512;
const FRESH = 0.1;
/** Share of changes made to the input that was kept last, which is the one furthest in. */
const NEWEST = 0.5;
/** Bytes at the beginning of a kept input of which every value is tried: headers are there, and what decides between branches. */
const SWEPT_BYTES = 48;

class Search {
  readonly kept: Uint8Array[] = [];
  readonly coverage = new Coverage(basename(process.argv[1] ?? ""));
  done = 0;
  readonly #target: Target;
  readonly #random: SeededRandom;
  readonly #where: string;
  readonly #sweeps: Generator<Uint8Array>[] = [];
  #attempt: ReturnType<Target["start"]>;
  /** Length of the longest input that the target draws: its state may have no room for more. */
  #longest = 0;

  constructor(target: Target, random: SeededRandom, where: string) {
    this.#target = target;
    this.#random = random;
    this.#where = where;
    this.#attempt = target.start(random);
  }

  /** Tries a few inputs, and keeps those that reach what none before did. */
  step(): void {
    const batch = Array.from({ length: BATCH }, () => this.#next());
    for (const input of batch) this.#try(input);
    let found = this.coverage.news();
    // Once more, each alone: which one reached what? None does where a state that another input left is needed.
    for (const input of batch) {
      if (found.length === 0) return;
      this.#try(input);
      const reached = this.coverage.reachedOf(found);
      if (reached.length > 0) this.#keep(input);
      found = found.filter((block) => !reached.includes(block));
    }
  }

  #keep(input: Uint8Array): void {
    this.kept.push(input);
    this.#sweeps.push(sweep(input));
  }

  #next(): Uint8Array {
    const random = this.#random;
    if (this.done < FIRST || this.kept.length === 0 || random.chance(FRESH)) return this.#drawn();
    for (let at = this.#sweeps.length - 1; at >= 0 && random.chance(NEWEST); at = this.#sweeps.length - 1) {
      const { value, done } = (this.#sweeps[at] as Generator<Uint8Array>).next();
      if (!done) return value;
      this.#sweeps.pop();
    }
    return mutate(random, random.chance(NEWEST) ? this.kept.slice(-1) : this.kept, this.#longest);
  }

  #drawn(): Uint8Array {
    const input = this.#target.draw(this.#random);
    this.#longest = Math.max(this.#longest, input.length);
    return input;
  }

  #try(input: Uint8Array): void {
    if (this.done++ % INPUTS_PER_STATE === 0) this.#attempt = this.#target.start(this.#random);
    try {
      // Some decoders change what they are given.
      this.#attempt(this.#random, input.slice());
    } catch (error) {
      console.error(`${this.#where}, input ${this.done}: ${error}\n${input.toHex()}`);
      process.exit(1);
    }
  }
}

/** Gives every value to each of the first bytes. */
function* sweep(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < Math.min(SWEPT_BYTES, input.length); at++) {
    for (let value = 0; value < 256; value++) {
      const changed = input.slice();
      changed[at] = value;
      yield changed;
    }
  }
}

const [name = "", count = "0", seed = "1", folder = "."] = process.argv.slice(2);
const target = GUIDED[name] ?? TRIALS[name];
if (!target) throw new Error(`no guided target ${name}; there are ${Object.keys(GUIDED).join(", ")}`);
const began = process.cpuUsage();
const search = new Search(target, new SeededRandom(Number(seed)), `--guided --target ${name} --seed ${seed}`);
while (search.done < Number(count)) search.step();
const { user, system } = process.cpuUsage(began);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, `${name}.hex`), search.kept.map((input) => `${input.toHex()}\n`).join(""));
const seconds = ((user + system) / 1e6).toFixed(1);
console.log(
  `${name}: ${search.done} inputs from seed ${seed} in ${seconds} s of processor time, ${search.coverage.blocks} blocks reached, ${search.kept.length} inputs kept`,
);
