// One tiny part of the evaluation on real kernels, all the way to its page. No figure is judged.
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { choose } from "../evaluate/choice.ts";
import { LabStage } from "../evaluate/lab-stage.ts";
import { writePages } from "../evaluate/page.ts";
import { PARTS } from "../evaluate/parts/all.ts";
import { ResultStore } from "../evaluate/results.ts";
import { measureAll } from "../evaluate/runner.ts";
import { canUseLab, LAB_TIMEOUT_MILLIS } from "./lab.ts";
import { temporaryFolder } from "./namespaces.ts";

const NAME = "dissertation:2x16";

test.skipIf(!canUseLab)(
  "the evaluation goes from links to a page",
  async () => {
    const folder = temporaryFolder();
    try {
      const store = new ResultStore(join(folder, "data"));
      await measureAll(choose(PARTS, [NAME]), {
        stage: new LabStage(),
        scope: { runs: 1, seed: 1, isQuick: true },
        store,
        originOf: () => ({ command: NAME, seed: 1, date: "2026-01-01", version: "0", machine: "here", cores: 1 }),
        began: () => undefined,
        kept: () => undefined,
        failed: () => undefined,
      });
      const [path = ""] = writePages(folder, store, PARTS);
      expect(readFileSync(path, "utf8")).toContain("(plots/lab-dissertation.svg)");
      expect(readFileSync(join(folder, "plots/lab-dissertation.svg"), "utf8")).toContain("2x16");
      const trials = store.read("lab", "dissertation")["2x16"]?.trials ?? [];
      expect(trials.map(({ carrier, way }) => `${carrier} ${way}`).sort()).toEqual(
        ["adaptive", "alone", "greedy"].flatMap((carrier) => [`${carrier} down`, `${carrier} up`]),
      );
      for (const { figures } of trials) {
        expect(figures.mbits).toBeGreaterThan(0);
        expect(figures.emulator).toBeGreaterThan(0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  LAB_TIMEOUT_MILLIS,
);
