/** Runs commands of the system and of the user, one at a time, without a shell of ours and without our environment. */
import { EXIT, NetcombinerError } from "../errors.ts";
import { type Command, formatCommand } from "./step.ts";

/** Runs one command to its end, or to that of patience. Throws CommandFailure. */
export type CommandRunner = (command: Command, signal?: AbortSignal) => Promise<void>;

/** Nothing of the system's takes longer, unless it waits for something that will not come. */
const PATIENCE_MS = 30_000;
const COMPLAINT_MAX = 2_000;
const LAST_WORDS_MS = 200;

/** Sbin comes with it: root's own PATH often lacks it. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the undoing of something that was not there, or the doing of something that is, is answered with. */
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
  /** It changes nothing that the thing was not there, or was there already. */
  readonly isHarmless: boolean;

  constructor(message: string, isHarmless: boolean) {
    super(message, EXIT.OS);
    this.isHarmless = isHarmless;
  }
}

export const runCommand: CommandRunner = async (command, signal) => {
  const child = start(command, signal);
  const complaints: string[] = [];
  const heard = listen(child.stderr, complaints).catch(() => undefined);
  if ((await child.exited) === 0) return;
  // What it left in the background may keep its output open.
  await Promise.race([heard, Bun.sleep(LAST_WORDS_MS)]);
  const complaint = complaints.join("").trim().slice(0, COMPLAINT_MAX);
  const how = child.signalCode ? `ended by ${child.signalCode}` : `exit code ${child.exitCode}`;
  throw new CommandFailure(`${formatCommand(command)}: ${complaint || how}`, IS_HARMLESS.test(complaint));
};

/** Reads to the end, so that nobody who writes has to wait. */
async function listen(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  const decoder = new TextDecoder();
  let length = 0;
  for await (const chunk of stream) {
    if (length < COMPLAINT_MAX) into.push(decoder.decode(chunk, { stream: true }));
    length += chunk.length;
  }
}

/** The output of a command that only asks. */
export async function askCommand(words: string): Promise<string> {
  const argv = words.split(" ");
  assertInstalled(argv);
  const child = Bun.spawn(argv, { env: { PATH, LC_ALL: "C" }, stdio: ["ignore", "pipe", "pipe"] });
  const [output, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.exitCode !== 0) throw new CommandFailure(`${words}: ${complaint.trim()}`, IS_HARMLESS.test(complaint));
  return output;
}

function start({ argv, input, hook }: Command, signal: AbortSignal | undefined) {
  const isHook = hook !== undefined;
  assertInstalled(argv);
  return Bun.spawn([...argv], {
    cwd: "/",
    // Messages are read for what they mean; a hook may want the user's language, of which we know nothing.
    env: isHook ? { PATH } : { PATH, LC_ALL: "C" },
    stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
    stdout: "ignore",
    stderr: "pipe",
    // How long a command of the user's takes is their business.
    ...(isHook ? {} : { timeout: PATIENCE_MS }),
    ...(signal ? { signal } : {}),
  });
}

function assertInstalled([program = ""]: readonly string[]): void {
  if (Bun.which(program, { PATH }) !== null) return;
  const advice = program in PACKAGES ? `; install ${PACKAGES[program]}` : "";
  throw new CommandFailure(`${program} is not installed${advice}`, false);
}
