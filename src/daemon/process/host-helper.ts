/**
 * The small process that keeps root's rights: it sets up the host and runs the commands of the configuration (`PostUp` and the like), for
 * a daemon that may not. It does five things and takes no parameters: a daemon that is not itself any more can have done what the
 * configuration says, and nothing else.
 *
 *     daemon:   | step | newline |                     step: heal, prepare, configure, restore, finish
 *     helper:   | JSON | newline | ...                 lines to print, then one that the step is done, or why it failed
 *
 * It ends when the daemon's end of the pipe is closed.
 */
import { writeSync } from "node:fs";
import type { Configuration } from "../../config/configuration.ts";
import { EXIT, type ExitCode, NetcombinerError } from "../../errors.ts";
import type { Print } from "../../host/runner.ts";
import type { SystemSetup } from "../daemon.ts";
import { linesOf } from "./lines.ts";

const STEPS = ["heal", "prepare", "configure", "restore", "finish"] as const;
type StepName = (typeof STEPS)[number];

type HelperMessage =
  | { readonly print: Parameters<Print> }
  | { readonly done: true }
  | { readonly failed: string; readonly exitCode: ExitCode };

/** The daemon's end: a `SystemSetup` whose steps the helper takes. */
export class HelperClient implements SystemSetup {
  readonly #answers: AsyncGenerator<string>;
  readonly #commandFd: number;
  readonly #print: Print;

  constructor(commandFd: number, answerFd: number, print: Print) {
    this.#commandFd = commandFd;
    this.#answers = linesOf(answerFd);
    this.#print = print;
  }

  heal(): Promise<void> {
    return this.#ask("heal");
  }

  prepare(): Promise<void> {
    return this.#ask("prepare");
  }

  configure(): Promise<void> {
    return this.#ask("configure");
  }

  restore(): Promise<void> {
    return this.#ask("restore");
  }

  finish(): Promise<void> {
    return this.#ask("finish");
  }

  async #ask(step: StepName): Promise<void> {
    try {
      writeSync(this.#commandFd, `${step}\n`);
    } catch (error) {
      throw new NetcombinerError(GONE, EXIT.OS, { cause: error });
    }
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new NetcombinerError(GONE, EXIT.OS);
      const message = JSON.parse(value) as HelperMessage;
      if ("done" in message) return;
      if ("failed" in message) throw new NetcombinerError(message.failed, message.exitCode);
      this.#print(...message.print);
    }
  }
}

const GONE = "the process that sets up the host is gone; end the tunnel with netcombiner down";

/** Takes the steps that the lines ask for, as the helper. Resolves when the daemon is gone. */
export async function serveSteps(
  lines: AsyncIterable<string>,
  send: (line: string) => void,
  load: () => Configuration,
  makeSystem: (print: Print) => SystemSetup,
): Promise<void> {
  const tell = (message: HelperMessage) => send(`${JSON.stringify(message)}\n`);
  const system = makeSystem((kind, text) => tell({ print: [kind, text] }));
  let configuration: Configuration | undefined;
  for await (const line of lines) {
    const step = STEPS.find((name) => name === line);
    if (!step) continue;
    try {
      if (step === "prepare" || step === "configure") {
        // The one read first is what is set up, whatever the file says later.
        configuration ??= load();
        await system[step](configuration);
      } else await system[step]();
      tell({ done: true });
    } catch (error) {
      const exitCode = error instanceof NetcombinerError ? error.exitCode : EXIT.SOFTWARE;
      tell({ failed: error instanceof Error ? error.message : String(error), exitCode });
    }
  }
}
