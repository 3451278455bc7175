/** Tells from V8's block coverage, inside of the process, whether an input reached what none before it did. */
import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly functionName: string; readonly ranges: readonly Range[] }[];
}

/** A piece of the bundle that runs as a whole, by its first and last offset. */
export type Block = `${number}-${number}`;

export class Coverage {
  readonly #session = new Session();
  readonly #file: string;
  readonly #reached = new Set<Block>();

  /** @param file the end of the script's address whose blocks count */
  constructor(file: string) {
    this.#file = file;
    this.#session.connect();
    this.#post("Profiler.enable");
    // With counts: without, V8 tells of a block only if its function runs for the first time.
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  get blocks(): number {
    return this.#reached.size;
  }

  /** Returns the blocks that were reached since the last look, and never before. */
  news(): Block[] {
    const blocks = this.#take()
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }): Block => `${startOffset}-${endOffset}`)
      .filter((block) => !this.#reached.has(block));
    for (const block of blocks) this.#reached.add(block);
    return blocks;
  }

  /** Returns those of `blocks` that were reached since the last look. */
  reachedOf(blocks: readonly Block[]): Block[] {
    const ranges = this.#take();
    return blocks.filter((block) => {
      const [start = 0, end = 0] = block.split("-").map(Number);
      // V8 leaves out a block that ran as often as what it is in: the innermost range, which comes last, decides.
      return (ranges.findLast((range) => range.startOffset <= start && range.endOffset >= end)?.count ?? 0) > 0;
    });
  }

  #take(): Range[] {
    const { result } = this.#post("Profiler.takePreciseCoverage") as { result: ScriptCoverage[] };
    return result
      .filter(({ url }) => url.endsWith(this.#file))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges));
  }

  /** A session with its own process answers before it returns. */
  #post(method: string, params: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}
