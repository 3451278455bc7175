/** Runs experiments in the simulator, as many at a time as there are cores, each in a thread of its own. */
import { cpus } from "node:os";
import type { Experiment, Outcome, Stage } from "./experiment.ts";
import type { Answer } from "./sim-worker.ts";

export class SimStage implements Stage {
  readonly name = "sim";
  readonly lanes = cpus().length;
  readonly #idle: Worker[] = [];

  async run(experiment: Experiment): Promise<Outcome> {
    const worker = this.#idle.pop() ?? new Worker(new URL("./sim-worker.ts", import.meta.url).href);
    const answer = await ask(worker, experiment);
    this.#idle.push(worker);
    if ("error" in answer) throw new Error(answer.error);
    return answer.outcome;
  }

  stop(): void {
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }
}

function ask(worker: Worker, experiment: Experiment): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(experiment);
  });
}
