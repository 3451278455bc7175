/**
 * What `up` and `down` do to the system around a tunnel, in the order of wg-quick: PreUp, the interface, routes and the
 * rest, PostUp; and back. What stands in the journal afterwards was not taken back yet, whoever did it.
 */
import { layout } from "../../ffi/layout.ts";
import type { Configuration } from "../config/configuration.ts";
import { type CommandRunner, runCommand } from "./command.ts";
import { freebsdInterfaceCommands, planFreebsd } from "./freebsd/plan.ts";
import { readFreebsdState } from "./freebsd/state.ts";
import { Journal } from "./journal.ts";
import { linuxInterfaceCommands, planLinux } from "./linux/plan.ts";
import { readLinuxState } from "./linux/state.ts";
import type { SystemRequest } from "./request.ts";
import { StepRunner, type Tell } from "./runner.ts";
import { sshSession } from "./ssh-session.ts";
import { formatCommand, hookCommand, type Step } from "./step.ts";

export interface HostSystemOptions {
  readonly name: string;
  readonly journalPath: string;
  readonly tell: Tell;
  /** Tests bring their own of these. */
  readonly run?: CommandRunner;
  readonly plan?: (request: SystemRequest) => Promise<readonly Step[]>;
}

export class HostSystem {
  readonly #options: HostSystemOptions;
  #runner: StepRunner | undefined;
  /** How many steps belong before the interface. */
  #prepared = 0;

  constructor(options: HostSystemOptions) {
    this.#options = options;
  }

  /** Takes back what a run before this one left; @returns whether there was anything */
  async heal(): Promise<boolean> {
    const wasLeft = this.#steps.done > 0;
    if (wasLeft) this.#options.tell("warning", "taking back what an earlier run left behind");
    await this.#steps.undo();
    return wasLeft;
  }

  /** Once the interface exists, before it is configured. */
  async prepare(configuration: Configuration): Promise<void> {
    const request = this.#request(configuration);
    const steps = preparation(request);
    this.#prepared = steps.length;
    await this.#steps.apply(steps);
    for (const line of interfaceCommands(request)) this.#options.tell("command", line);
  }

  /** Once the tunnel runs. */
  async configure(configuration: Configuration): Promise<void> {
    const request = this.#request(configuration);
    await this.#steps.apply(await (this.#options.plan ?? planSystem)(request));
    await this.#steps.apply(completion(request));
  }

  /** While the interface still exists. */
  async restore(): Promise<void> {
    await this.#steps.undo(this.#prepared);
  }

  /** When it is gone. */
  async finish(): Promise<void> {
    await this.#steps.undo();
  }

  get #steps(): StepRunner {
    const { journalPath, run = runCommand, tell } = this.#options;
    this.#runner ??= new StepRunner(new Journal(journalPath), run, tell);
    return this.#runner;
  }

  #request(configuration: Configuration): SystemRequest {
    return { name: this.#options.name, configuration, ssh: sshSession() };
  }
}

/** All of it as a script for a shell to read, each step with its reason; `start` is the command that makes the interface. */
export async function describeUp(name: string, configuration: Configuration, start: string): Promise<string> {
  const request = { name, configuration, ssh: sshSession() };
  const middle = ["# the interface; as by hand:", ...interfaceCommands(request).map((line) => `#   ${line}`), start];
  const steps = [...(await planSystem(request)), ...completion(request)].filter(({ isDone }) => !isDone);
  return [...describeSteps(preparation(request)), ...middle, ...describeSteps(steps)].join("\n");
}

/** What taking back runs, newest first. */
export function undoLines({ entries }: Pick<Journal, "entries">): string[] {
  return entries.toReversed().flatMap(({ undo }) => undo.map(formatCommand));
}

function describeSteps(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.do.length === 0 ? [] : [`# ${step.why}`, ...step.do.map(formatCommand)]));
}

async function planSystem(request: SystemRequest): Promise<Step[]> {
  const { role, peerNetworks } = request.configuration.system;
  // Then the host need not be looked at, for which it may lack the commands.
  if (role === undefined && peerNetworks.length === 0) return [];
  if (layout.name === "freebsd") return planFreebsd(request, await readFreebsdState());
  return planLinux(request, await readLinuxState());
}

function interfaceCommands(request: SystemRequest): string[] {
  return layout.name === "freebsd" ? freebsdInterfaceCommands(request) : linuxInterfaceCommands(request);
}

function preparation({ name, configuration }: SystemRequest): Step[] {
  const { preUp, postDown } = configuration.system.hooks;
  return hookSteps(name, "PreUp", preUp, postDown);
}

function completion({ name, configuration }: SystemRequest): Step[] {
  const { postUp, preDown } = configuration.system.hooks;
  return hookSteps(name, "PostUp", postUp, preDown);
}

function hookSteps(name: string, why: string, up: readonly string[], down: readonly string[]): Step[] {
  const commands = (lines: readonly string[]) => lines.map((line) => hookCommand(line.replaceAll("%i", name)));
  return up.length + down.length === 0 ? [] : [{ why, do: commands(up), undo: commands(down) }];
}
