// The whole way from experiments to pages with a lab of constants, and the pieces on it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choose, listOf } from "./choice.ts";
import type { Experiment, Outcome, Stage } from "./experiment.ts";
import { writePages } from "./page.ts";
import { experimentsOf, type Scope } from "./part.ts";
import { PARTS } from "./parts/all.ts";
import { access } from "./parts/links.ts";
import { linksToMeasureAlone } from "./parts/throughput.ts";
import { type Origin, ResultStore } from "./results.ts";
import { estimate, measureAll } from "./runner.ts";
import { timeUntil, worstByTenth } from "./series.ts";

const QUICK: Scope = { runs: 1, seed: 1, isQuick: true };
const FULL: Scope = { runs: 3, seed: 1, isQuick: false };
const ORIGIN: Origin = {
  command: "npm run evaluate -- part:case --runs 1 --seed 1",
  seed: 1,
  date: "2026-01-01",
  version: "0",
  machine: "none",
  cores: 2,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-evaluate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function storeIn(name: string): ResultStore {
  return new ResultStore(join(folder, name, "data"));
}

/** Pictures that a page shows. */
function picturesOf(page: string): string[] {
  return [...page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
}

describe("choosing", () => {
  test("takes everything, parts and cases, in the order of the page", () => {
    expect(choose(PARTS, []).map(({ part }) => part.name)).toEqual(PARTS.map(({ name }) => name));
    const [profiles, flap] = choose(PARTS, ["flap", "profiles:rtt_120"]);
    expect(profiles?.cases.map(({ name }) => name)).toEqual(["rtt_120"]);
    expect(flap?.cases.length).toBe(2);
  });

  test("names what there is when a name is wrong", () => {
    expect(() => choose(PARTS, ["profiles:rtt_1"])).toThrow(/rtt_1, *|there are[\s\S]*rtt_120/);
    expect(listOf(PARTS)).toContain("  step: 20-2-20");
  });
});

describe("the plan", () => {
  test("takes under an hour as a whole and under 8 minutes as a quick look", () => {
    // Making what is not there yet and writing the pages come on top.
    const share = 0.95;
    expect(estimate(choose(PARTS, []), FULL)).toBeLessThan(share * 3_600);
    expect(estimate(choose(PARTS, []), QUICK)).toBeLessThan(share * 480);
  });

  test("measures both ways, and only what --only asks for", () => {
    for (const one of PARTS.flatMap((part) => part.cases)) {
      expect(new Set(experimentsOf(one, FULL).map(({ way }) => way)).size).toBe(2);
      const only = experimentsOf(one, { ...FULL, only: "adaptive" });
      expect(only.every(({ carrier }) => carrier === "adaptive")).toBe(true);
      expect(only.length).toBeGreaterThan(0);
    }
  });

  test("measures of a case's links alone those that may be the best", () => {
    const [near, far, fast] = [access(20, 5), access(20, 50), access(50, 50)];
    expect(linksToMeasureAlone([near, far])).toEqual([near]);
    expect(linksToMeasureAlone([near, near])).toEqual([near]);
    expect(linksToMeasureAlone([near, fast])).toEqual([near, fast]);
    expect(linksToMeasureAlone([access(100, 5), access(100, 5)]).length).toBe(2);
  });
});

describe("a series", () => {
  test("reaches a level when the mean of a second does", () => {
    const series = [...new Array(20).fill(1), ...new Array(20).fill(10)];
    expect(timeUntil(series, 0, 10)).toBe(2);
    expect(timeUntil(series, 1, 5.5)).toBeCloseTo(0.5, 9);
    expect(timeUntil(series, 0, 11)).toBeNaN();
  });

  test("keeps the worst of each tenth and carries it over gaps", () => {
    expect(
      worstByTenth(
        [
          [0.05, 3],
          [0.07, 9],
          [0.31, 4],
        ],
        0.5,
      ),
    ).toEqual([9, 9, 9, 4, 4]);
  });
});

describe("the pipeline", () => {
  test("keeps what was measured before an interruption, and pages show every part from what there is", async () => {
    const store = storeIn("broken");
    let left = 10;
    const stage = fakeStage(() => {
      if (left-- <= 0) throw new Error("no more");
    });
    const missed = await measureAll(choose(PARTS, ["profiles"]), runOn(stage, store, QUICK));
    const before = Object.keys(store.read("lab", "profiles"));
    expect(before).toEqual(["baseline", "rtt_40", "rtt_120", "rtt_320"]);
    expect(missed.length).toBe(9);
    expect(missed[0]).toBe("profiles:jit_20: no more");
    left = 10_000;
    await measureAll(choose(PARTS, []), runOn(stage, store, FULL));
    const [path = ""] = writePages(join(folder, "broken"), store, PARTS);
    const page = readFileSync(path, "utf8");
    for (const part of PARTS) expect(page).toContain(`\n## ${part.title}\n`);
    expect(page).not.toContain("NaN");
    expect(page).not.toContain("undefined");
    const pictures = picturesOf(page);
    expect(pictures.length).toBeGreaterThan(7);
    expect(pictures.filter((picture) => !existsSync(join(folder, "broken", picture)))).toEqual([]);
    for (const picture of pictures) expect(readFileSync(join(folder, "broken", picture), "utf8")).not.toContain("NaN");
  });

  test("repeats what failed once, and tells it", async () => {
    const store = storeIn("repeated");
    let runs = 0;
    const stage = fakeStage(() => {
      if (runs++ === 1) throw new Error("no TCP connection");
    });
    expect(await measureAll(choose(PARTS, ["fairness"]), runOn(stage, store, QUICK))).toEqual([]);
    expect(store.read("lab", "fairness").eight?.failures).toEqual(["no TCP connection"]);
    const [path = ""] = writePages(join(folder, "repeated"), store, PARTS);
    expect(readFileSync(path, "utf8")).toContain("failed and were repeated: 1 (no TCP connection)");
  });

  test("runs the same experiment once for all cases that want it", async () => {
    let runs = 0;
    const stage = fakeStage(() => {
      runs++;
    });
    await measureAll(choose(PARTS, ["profiles:baseline", "profiles:rtt_40"]), runOn(stage, storeIn("once"), QUICK));
    // The tunnel both ways in each, and the one link that both profiles have for their best.
    expect(runs).toBe(2 + 2 + 2);
  });
});

function runOn(stage: Stage, store: ResultStore, scope: Scope) {
  return {
    stage,
    scope,
    store,
    originOf: () => ORIGIN,
    began: () => undefined,
    kept: () => undefined,
    failed: () => undefined,
  };
}

/** Returns a lab of constants. */
function fakeStage(before: () => void): Stage {
  const outcomeOf = ({ links, carrier, flows, seconds, hasPing, hasPingPong, stream }: Experiment): Outcome => {
    const count = flows ?? (carrier === "alone" ? links.length : 1);
    const series = new Array<number>(seconds * 10).fill(10);
    return {
      flows: Array.from({ length: count }, () => ({ series, mbits: 10, steadyMbits: 10 })),
      ping: hasPing
        ? {
            sent: 3,
            answers: [
              [0.1, 10],
              [0.2, 11],
              [0.3, 12],
            ],
          }
        : undefined,
      pongs: hasPingPong ? [0.1, 0.2, 0.3] : undefined,
      stream: stream ? { sent: 10, received: 9, longestGapMillis: 20, lostAt: [1.1] } : undefined,
      timeouts: 0,
      retransmitted: 0,
    };
  };
  return {
    name: "lab",
    lanes: 1,
    stop: () => undefined,
    run: async (experiment) => {
      before();
      return outcomeOf(experiment);
    },
  };
}
