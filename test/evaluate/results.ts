/**
 * Keeps what was measured as JSON: one file a stage and part, in it one entry a case, so that a part or a case can be
 * measured again alone. Pages are made from these files and nothing else.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SuiteName } from "../../src/security/suite.ts";
import type { Carrier, StageName, Way } from "./experiment.ts";

/** One run of one experiment. */
export interface Trial {
  /** Tells experiments of a case apart where carrier and way do not. */
  readonly label?: string;
  readonly carrier: Carrier;
  readonly way: Way;
  readonly seed: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly series?: Readonly<Record<string, readonly number[]>>;
}

/** The circumstances of a measurement. */
export interface Origin {
  readonly command: string;
  readonly seed: number;
  readonly date: string;
  readonly version: string;
  readonly machine: string;
  readonly cores: number;
}

export interface CaseResult {
  readonly origin: Origin;
  /** The suite that the tunnel used, and C_eff counts with. */
  readonly suite: SuiteName;
  /** Figures that do not depend on the run, such as C_eff in Mbit/s. */
  readonly facts: Readonly<Record<string, number>>;
  /** Why experiments failed that were then repeated; absent when none did. */
  readonly failures?: readonly string[];
  readonly trials: readonly Trial[];
}

export type PartResults = Readonly<Record<string, CaseResult>>;

export class ResultStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns everything measured of a part, by case; empty when there is nothing. */
  read(stage: StageName, part: string): PartResults {
    const path = this.#path(stage, part);
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as PartResults) : {};
  }

  /** Parts of which something was measured. */
  parts(stage: StageName): string[] {
    const folder = join(this.#folder, stage);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((name) => (name.endsWith(".json") ? [name.slice(0, -5)] : []));
  }

  /** Puts a case in the place of an earlier measurement; the file is whole at every moment. */
  write(stage: StageName, part: string, name: string, result: CaseResult): void {
    const path = this.#path(stage, part);
    mkdirSync(join(this.#folder, stage), { recursive: true });
    writeFileSync(`${path}.tmp`, format({ ...this.read(stage, part), [name]: result }));
    renameSync(`${path}.tmp`, path);
  }

  #path(stage: StageName, part: string): string {
    return join(this.#folder, stage, `${part}.json`);
  }
}

/** Returns one line a trial, and numbers as long as they mean something. */
function format(results: PartResults): string {
  const cases = Object.entries(results).map(([name, { trials, ...rest }]) => {
    const head = JSON.stringify(rest).slice(0, -1);
    const lines = trials.map((trial) => `  ${JSON.stringify(trial, shorten)}`);
    return `${JSON.stringify(name)}: ${head},"trials":[\n${lines.join(",\n")}\n]}`;
  });
  return `{\n${cases.join(",\n")}\n}\n`;
}

function shorten(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
