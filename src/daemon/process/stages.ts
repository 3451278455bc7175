/**
 * A tunnel is one process that reads the network with few rights, and on `--up` a second one that sets up the host with all of them. Both
 * come from the process that was started: it starts the helper, and then begins again in its own place, as only at its beginning can all
 * threads of a process lose capabilities. An environment variable tells which stage it is.
 */
import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { beginAgain, canBeginAgain } from "../../../ffi/privileges.ts";
import { closePipeEnd, openPipe } from "../../../ffi/wake.ts";
import { type Inheritance, ownCommand } from "./handover.ts";

const STAGE = "NETCOMBINER_STAGE";
const HELPER_PIPES = "NETCOMBINER_HELPER_FDS";

export type Stage = "first" | "helper" | "limited";

/** Descriptors by which the daemon reaches its helper. */
export interface HelperPipes {
  readonly commandFd: number;
  readonly answerFd: number;
}

export function stageOf(environment: NodeJS.ProcessEnv = process.env): Stage {
  const stage = environment[STAGE];
  return stage === "helper" || stage === "limited" ? stage : "first";
}

/** Returns the descriptors that the stage before left, undefined for a daemon without a helper. */
export function helperPipes(environment: NodeJS.ProcessEnv = process.env): HelperPipes | undefined {
  const [, commandFd, answerFd] = /^(\d{1,4}),(\d{1,4})$/.exec(environment[HELPER_PIPES] ?? "") ?? [];
  return answerFd === undefined ? undefined : { commandFd: Number(commandFd), answerFd: Number(answerFd) };
}

/**
 * Starts the helper if there is something to set up, and then this program in place of itself with few rights. Returns only where the system
 * does not let it: then this process goes on, with the helper if there is one.
 */
export function splitRights(
  setsUp: boolean,
  inherited: Inheritance | undefined,
  configurationPath: string,
): HelperPipes | undefined {
  if (!canBeginAgain()) return undefined;
  const [program = "", ...words] = [...ownCommand(Bun.main), ...process.argv.slice(2)];
  const pipes = setsUp ? startHelper([program, ...words]) : undefined;
  const environment = {
    ...definedOf(process.env),
    [STAGE]: "limited",
    ...(pipes ? { [HELPER_PIPES]: `${pipes.commandFd},${pipes.answerFd}` } : {}),
  };
  const descriptors = [inherited?.tunFd, inherited?.readyFd, pipes?.commandFd, pipes?.answerFd];
  const open = descriptors.filter((fd) => fd !== undefined && fd >= 0) as number[];
  // By its own path it keeps its name for ps and killall; the link leads to a file that was replaced as well.
  for (const path of [process.execPath, program]) {
    beginAgain(path, [process.argv0, ...words], environment, open, !isRoots(configurationPath));
  }
  return pipes;
}

/** True if root without capabilities reads the file: it and its folders are root's own, or open to all. Reload reads it again. */
export function isRoots(path: string, stat: (path: string) => Pick<Stats, "uid" | "mode"> = statSync): boolean {
  const [OTHERS_READ, OTHERS_SEARCH] = [0o4, 0o1];
  const isOpen = (at: string, bit: number) => {
    const { uid, mode } = stat(at);
    return uid === 0 || (mode & bit) !== 0;
  };
  try {
    for (let at = dirname(path); at !== dirname(at); at = dirname(at)) if (!isOpen(at, OTHERS_SEARCH)) return false;
    return isOpen(path, OTHERS_READ);
  } catch {
    // A missing file is told when it is read.
    return true;
  }
}

function startHelper(command: readonly string[]): HelperPipes {
  const commands = openPipe();
  const answers = openPipe();
  const child = Bun.spawn([...command], {
    argv0: "netcombiner",
    cwd: "/",
    env: { ...definedOf(process.env), [STAGE]: "helper", NOTIFY_SOCKET: "" },
    // Its own session: Ctrl-C ends the daemon, which has the helper undo things first.
    detached: true,
    stdio: [commands.readFd, answers.writeFd, "inherit"],
  });
  child.unref();
  closePipeEnd(commands.readFd);
  closePipeEnd(answers.writeFd);
  return { commandFd: commands.writeFd, answerFd: answers.readFd };
}

function definedOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
