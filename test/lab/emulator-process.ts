/** The link emulator as a test sees it: starts the process, changes its cables while they run, reads their counters. */
import type { LinkShape } from "../sim/link-model.ts";
import {
  type Direction,
  decodeLine,
  type EmulatedCable,
  type EmulatorAnswer,
  type EmulatorCounters,
  type EmulatorQuestion,
} from "./emulator-protocol.ts";
import { readLines } from "./lines.ts";

type Question = EmulatorQuestion extends infer Q ? (Q extends unknown ? Omit<Q, "id"> : never) : never;

export class EmulatorProcess {
  readonly #child;
  readonly #waiting = new Map<number, (answer: EmulatorAnswer) => void>();
  #lastId = 0;
  readonly #ready = Promise.withResolvers<void>();

  private constructor(cables: readonly EmulatedCable[]) {
    this.#child = Bun.spawn([process.execPath, `${import.meta.dir}/emulator.ts`, JSON.stringify(cables)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    void readLines(this.#child.stdout, (line) => this.#take(decodeLine<EmulatorAnswer>(line)));
    void this.#child.exited.then((code) => this.#ready.reject(new Error(`the emulator ended with ${code}`)));
    this.#ready.promise.catch(() => undefined);
  }

  /** @returns once the interfaces exist */
  static async start(cables: readonly EmulatedCable[]): Promise<EmulatorProcess> {
    const emulator = new EmulatorProcess(cables);
    await emulator.#ready.promise;
    return emulator;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Changes the given fields of a cable's shape, in one direction or both. */
  async change(cable: number, shape: Partial<LinkShape>, direction?: Direction): Promise<void> {
    await this.#both(direction, (one) => ({ op: "change", cable, direction: one, shape }));
  }

  /** Loses everything from now on, silently: the interfaces stay up. */
  async cut(cable: number, direction?: Direction): Promise<void> {
    await this.#both(direction, (one) => ({ op: "cut", cable, direction: one }));
  }

  async restore(cable: number, direction?: Direction): Promise<void> {
    await this.#both(direction, (one) => ({ op: "restore", cable, direction: one }));
  }

  /** Adds forgeries to what comes out of a cable in one direction, so many per second, until it was `count`. */
  async attack(cable: number, direction: Direction, perSecond: number, count: number): Promise<void> {
    await this.#both(direction, (one) => ({ op: "attack", cable, direction: one, perSecond, count }));
  }

  async counters(): Promise<EmulatorCounters> {
    const answer = await this.#ask({ op: "counters" });
    if (!("counters" in answer) || !answer.counters) throw new Error("the emulator gave no counters");
    return answer.counters;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
  }

  async #both(direction: Direction | undefined, question: (direction: Direction) => Question): Promise<void> {
    const directions: Direction[] = direction === undefined ? [0, 1] : [direction];
    for (const answer of await Promise.all(directions.map((one) => this.#ask(question(one)))))
      if ("error" in answer) throw new Error(answer.error);
  }

  #ask(question: Question): Promise<EmulatorAnswer> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<EmulatorAnswer>();
    this.#waiting.set(id, resolve);
    this.#child.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
    this.#child.stdin.flush();
    return promise;
  }

  #take(answer: EmulatorAnswer): void {
    if (answer.id === 0) this.#ready.resolve();
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }
}
