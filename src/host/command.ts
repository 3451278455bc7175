/** Runs commands of the system and of the user, one at a time, without a shell of ours and without our environment. */
import { EXIT, NetcombinerError } from "../errors.ts";
import { type Command, formatCommand } from "./step.ts";

/** Runs one command until it exits or its time is up. @throws CommandFailure */
export type CommandRunner = (command: Command, signal?: AbortSignal) => Promise<void>;

/** Time after which a system command is killed, ms: far above what any of them needs. */
const TIMEOUT_MS = 30_000;
/** Characters of standard error that are kept for the message. */
const ERROR_TEXT_MAX = 2_000;
/** Time to wait for the rest of standard error after the command exited, ms. */
const ERROR_TEXT_WAIT_MS = 200;

/** Includes sbin, which root's own PATH often lacks. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Errors meaning the step was already done or already undone. */
const HARMLESS = [
  "No such (process|file or directory|device)",
  "Cannot find device",
  "does not exist",
  "File exists",
  "not in table",
  "Device not configured",
  "Can't assign requested address",
];
const IS_HARMLESS = new RegExp(HARMLESS.join("|"));

const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2 (OpenWrt: ip-full)",
  nft: "nftables",
  sysctl: "procps",
};

export class CommandFailure extends NetcombinerError {
  /** True if the command failed because its work was already done or already undone. */
  readonly isHarmless: boolean;

  constructor(message: string, isHarmless: boolean) {
    super(message, EXIT.OS);
    this.isHarmless = isHarmless;
  }
}

export const runCommand: CommandRunner = async (command, signal) => {
  const child = start(command, signal);
  const chunks: string[] = [];
  const drained = drain(child.stderr, chunks).catch(() => undefined);
  if ((await child.exited) === 0) return;
  // A process that it left in the background may keep its output open.
  await Promise.race([drained, Bun.sleep(ERROR_TEXT_WAIT_MS)]);
  const errorText = chunks.join("").trim().slice(0, ERROR_TEXT_MAX);
  const how = child.signalCode ? `ended by ${child.signalCode}` : `exit code ${child.exitCode}`;
  throw new CommandFailure(`${formatCommand(command)}: ${errorText || how}`, IS_HARMLESS.test(errorText));
};

/** Reads to the end, so that no writer blocks on a full pipe. */
async function drain(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  const decoder = new TextDecoder();
  let length = 0;
  for await (const chunk of stream) {
    if (length < ERROR_TEXT_MAX) into.push(decoder.decode(chunk, { stream: true }));
    length += chunk.length;
  }
}

/** Returns what a command that changes nothing prints. @throws CommandFailure */
export async function outputOf(words: string): Promise<string> {
  const argv = words.split(" ");
  assertInstalled(argv);
  const child = Bun.spawn(argv, { env: { PATH, LC_ALL: "C" }, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errorText] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.exitCode !== 0) throw new CommandFailure(`${words}: ${errorText.trim()}`, IS_HARMLESS.test(errorText));
  return output;
}

function start({ argv, input, hook }: Command, signal: AbortSignal | undefined) {
  const isHook = hook !== undefined;
  assertInstalled(argv);
  return Bun.spawn([...argv], {
    cwd: "/",
    // IS_HARMLESS matches English messages; a hook keeps the system's language.
    env: isHook ? { PATH } : { PATH, LC_ALL: "C" },
    stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
    stdout: "ignore",
    stderr: "pipe",
    // A hook of the user may run for as long as it likes.
    ...(isHook ? {} : { timeout: TIMEOUT_MS }),
    ...(signal ? { signal } : {}),
  });
}

function assertInstalled([program = ""]: readonly string[]): void {
  if (Bun.which(program, { PATH }) !== null) return;
  const advice = program in PACKAGES ? `; install ${PACKAGES[program]}` : "";
  throw new CommandFailure(`${program} is not installed${advice}`, false);
}
