// Experiments in virtual time, and from them to a page.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choose } from "./choice.ts";
import type { Experiment } from "./experiment.ts";
import { writePages } from "./page.ts";
import { PARTS } from "./parts/all.ts";
import { access } from "./parts/links.ts";
import { ResultStore } from "./results.ts";
import { measureAll } from "./runner.ts";
import { SimStage } from "./sim-stage.ts";
import { simulate } from "./simulate.ts";

describe("an experiment in virtual time", () => {
  const experiment: Experiment = {
    links: [access(8, 5), access(8, 20)],
    carrier: "adaptive",
    way: "down",
    seconds: 2,
    seed: 7,
    hasPing: true,
    hasPingPong: true,
    stream: 200e3,
    steps: [
      { at: 1, link: 1, change: "cut" },
      { at: 1.5, link: 1, change: "restore" },
    ],
  };

  test("gives the same from the same seed", () => {
    const [first, second] = [simulate(experiment), simulate(experiment)];
    expect(first).toEqual(second);
    expect(first.flows[0]?.series.length).toBe(20);
    // Pings 20 ms apart, pongs while both links are loaded (100 ms each), 25 datagrams a second: in 2 s, most of them.
    expect(first.ping?.answers.length).toBeGreaterThan(0.9 * (2 / 0.02));
    expect(first.pongs?.length).toBeGreaterThan(2 / 0.1 / 2);
    expect(first.stream?.received).toBeGreaterThan(0.8 * (2 * 25));
  });

  test("measures each link alone in one go, without the tunnel", () => {
    const { flows } = simulate({ ...experiment, carrier: "alone", steps: [] });
    expect(flows.length).toBe(2);
    for (const { steadyMbits } of flows) expect(steadyMbits).toBeWithin(5, 8 * (1448 / 1518) + 0.01);
  });
});

test("the evaluation goes from the simulator to a page whose pictures exist", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netcombiner-evaluate-"));
  const stage = new SimStage();
  try {
    const store = new ResultStore(join(folder, "data"));
    await measureAll(choose(PARTS, ["dissertation:2x16"]), {
      stage,
      scope: { runs: 1, seed: 1, isQuick: true, only: "adaptive" },
      store,
      originOf: () => ({
        command: "npm run evaluate -- part:case --sim --runs 1",
        seed: 1,
        date: "2026-01-01",
        version: "0",
        machine: "none",
        cores: 1,
      }),
      began: () => undefined,
      kept: () => undefined,
      failed: () => undefined,
    });
    const [path = ""] = writePages(folder, store, PARTS);
    const page = readFileSync(path, "utf8");
    expect(path).toEndWith("simulator.md");
    expect(page).toContain("| 2x16 | down |");
    expect(page).toContain("npm run evaluate -- part --sim --runs 1");
    expect(page).toContain("(plots/sim-dissertation.svg)");
    expect(readFileSync(join(folder, "plots/sim-dissertation.svg"), "utf8")).toContain("2x16");
  } finally {
    stage.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
