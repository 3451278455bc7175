/**
 * Changes the system around a tunnel for `up` and `down`, in the order of wg-quick: PreUp, the interface, routes and the
 * rest, PostUp; and back. Entries that remain in the journal are not undone yet, whichever process made them.
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
import { type Print, StepRunner } from "./runner.ts";
import { sshSession } from "./ssh-session.ts";
import { formatCommand, hookCommand, type Step } from "./step.ts";

export interface HostSystemOptions {
  readonly name: string;
  readonly journalPath: string;
  readonly print: Print;
  /** Replaced by tests. */
  readonly run?: CommandRunner;
  /** Replaced by tests. */
  readonly plan?: (request: SystemRequest) => Promise<readonly Step[]>;
}

export class HostSystem {
  readonly #options: HostSystemOptions;
  #runner: StepRunner | undefined;
  /** Number of steps done before the interface was configured. */
  #prepared = 0;

  constructor(options: HostSystemOptions) {
    this.#options = options;
  }

  /** Undoes what an earlier run left behind; returns true if there was anything. */
  async heal(): Promise<boolean> {
    const wasLeft = this.#steps.done > 0;
    if (wasLeft) this.#options.print("warning", "undoing what an earlier run left behind");
    await this.#steps.undo();
    return wasLeft;
  }

  /** Runs PreUp: the interface exists and is not configured yet. */
  async prepare(configuration: Configuration): Promise<void> {
    const request = this.#request(configuration);
    const steps = preparation(request);
    this.#prepared = steps.length;
    await this.#steps.apply(steps);
    for (const line of interfaceCommands(request)) this.#options.print("command", line);
  }

  /** Sets up routes, rules and firewall, and runs PostUp: the tunnel is running. */
  async configure(configuration: Configuration): Promise<void> {
    const request = this.#request(configuration);
    await this.#steps.apply(await (this.#options.plan ?? planSystem)(request));
    await this.#steps.apply(completion(request));
  }

  /** Undoes `configure`, while the interface still exists. */
  async restore(): Promise<void> {
    await this.#steps.undo(this.#prepared);
  }

  /** Undoes `prepare`, after the interface is gone. */
  async finish(): Promise<void> {
    await this.#steps.undo();
  }

  get #steps(): StepRunner {
    const { journalPath, run = runCommand, print } = this.#options;
    this.#runner ??= new StepRunner(new Journal(journalPath), run, print);
    return this.#runner;
  }

  #request(configuration: Configuration): SystemRequest {
    return { name: this.#options.name, configuration, ssh: sshSession() };
  }
}

/** Returns all steps as a shell script, each with its reason. @param start the command that makes the interface */
export async function describeUp(name: string, configuration: Configuration, start: string): Promise<string> {
  const request = { name, configuration, ssh: sshSession() };
  const middle = [
    "# the interface; by hand it would be:",
    ...interfaceCommands(request).map((line) => `#   ${line}`),
    start,
  ];
  const steps = [...(await planSystem(request)), ...completion(request)].filter(({ isDone }) => !isDone);
  return [...describeSteps(preparation(request)), ...middle, ...describeSteps(steps)].join("\n");
}

/** Returns the commands that undo the entries, newest first. */
export function undoLines({ entries }: Pick<Journal, "entries">): string[] {
  return entries.toReversed().flatMap(({ undo }) => undo.map(formatCommand));
}

function describeSteps(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.do.length === 0 ? [] : [`# ${step.why}`, ...step.do.map(formatCommand)]));
}

async function planSystem(request: SystemRequest): Promise<Step[]> {
  const { role, peerNetworks } = request.configuration.system;
  // Nothing to plan: do not read the host's state, for which it may lack the commands.
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
