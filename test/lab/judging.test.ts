// A figure out of bounds is the program's fault on an idle machine, and nobody's on a busy one; anything else is a fault on both.
import { expect, test } from "bun:test";
import type { MachineLoad } from "../support/machine-load.ts";
import { atLeast, twiceIfRefused, unlessBusy } from "./lab.ts";

const IDLE: MachineLoad = { seconds: 10, others: 0.01, stolen: 0, waiting: 0.9 };
const BUSY: MachineLoad = { ...IDLE, others: 0.5 };

const judged = (load: MachineLoad, body: () => void) => unlessBusy("a trial", async () => body(), { read: () => load });
const isSlow = () => atLeast("a trial's Mbit/s", 1, 2);

test("a figure out of bounds fails on an idle machine, however much the program itself makes tasks wait", async () => {
  expect(judged(IDLE, isSlow)).rejects.toThrow("a trial's Mbit/s: 1.00, less than 2.00");
});

test("a figure out of bounds is inconclusive on a busy machine", async () => {
  const before = process.env.NC_INCONCLUSIVE_FILE;
  delete process.env.NC_INCONCLUSIVE_FILE;
  await judged(BUSY, isSlow);
  if (before !== undefined) process.env.NC_INCONCLUSIVE_FILE = before;
});

test("what is wrong otherwise fails on a busy machine too", async () => {
  expect(judged(BUSY, () => expect(1).toBe(2))).rejects.toThrow();
});

test("a figure out of bounds is measured once more, and fails if it is so again", async () => {
  const figures = [1, 3];
  await twiceIfRefused(async () => atLeast("a trial's Mbit/s", figures.shift() ?? 0, 2));
  expect(figures).toEqual([]);
  const low = [1, 1, 3];
  expect(twiceIfRefused(async () => atLeast("a trial's Mbit/s", low.shift() ?? 0, 2))).rejects.toThrow(
    "less than 2.00",
  );
});

test("what is wrong otherwise is not tried again", async () => {
  let runs = 0;
  const wrong = async (): Promise<void> => {
    runs++;
    throw new Error("wrong");
  };
  expect(twiceIfRefused(wrong)).rejects.toThrow("wrong");
  expect(runs).toBe(1);
});
