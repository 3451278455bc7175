/** A thread of the simulator: takes an experiment and gives back its outcome. */
import type { Experiment, Outcome } from "./experiment.ts";
import { simulate } from "./simulate.ts";

export type Answer = { readonly outcome: Outcome } | { readonly error: string };

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<Experiment>) => {
  let answer: Answer;
  try {
    answer = { outcome: simulate(data) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answer);
};
