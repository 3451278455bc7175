/** Asks a running tunnel through its control socket. */
import { readdirSync } from "node:fs";
import { createConnection } from "node:net";
import { EXIT, NetcombinerError } from "../../errors.ts";
import { runDirectory } from "../process/paths.ts";
import { CONTROL_VERSION } from "./requests.ts";

const ANSWER_SIZE_MAX = 16 << 20;
const ANSWER_TIMEOUT_MS = 5_000;

/** Things a command may take besides its name, and how long its answer may take, milliseconds. */
export interface AskOptions {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly patience?: number;
}

/**
 * Sends one command and gives the fields of the answer.
 * @throws NetcombinerError `UNAVAILABLE` when nobody listens, `NO_PERMISSION`, `PROTOCOL` for no or a strange answer,
 * `TEMPORARY` with the error that was answered
 */
export async function askControl(
  path: string,
  command: string,
  { parameters = {}, patience = ANSWER_TIMEOUT_MS }: AskOptions = {},
): Promise<Record<string, unknown>> {
  const request = JSON.stringify({ ...parameters, command, version: CONTROL_VERSION });
  const answer = parseAnswer(await exchange(path, `${request}\n`, patience));
  if (!answer) throw new NetcombinerError(`${path}: the answer makes no sense`, EXIT.PROTOCOL);
  if (answer.ok !== true) throw new NetcombinerError(String(answer.error), EXIT.TEMPORARY);
  return answer;
}

/** Names of the interfaces that have a control socket, alive or not. @throws NetcombinerError when the folder cannot be read */
export function controlledInterfaces(directory = runDirectory()): string[] {
  try {
    const files = readdirSync(directory).filter((file) => file.endsWith(".sock"));
    return files.map((file) => file.slice(0, -".sock".length)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw connectionError(directory, error);
  }
}

function parseAnswer(text: string): Record<string, unknown> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Sends `request`, then reads until the other side has said everything. */
function exchange(path: string, request: string, patience: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const socket = createConnection({ path });
  const fail = (message: string) => {
    reject(new NetcombinerError(message, EXIT.PROTOCOL));
    socket.destroy();
  };
  socket.setEncoding("utf8");
  socket.setTimeout(patience, () => fail(`${path}: no answer`));
  socket.on("connect", () => socket.write(request));
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > ANSWER_SIZE_MAX) fail(`${path}: the answer has no end`);
    if (!text.includes("\n")) return;
    resolve(text.slice(0, text.indexOf("\n")));
    socket.destroy();
  });
  socket.on("end", () => fail(`${path}: no answer`));
  socket.on("error", (error) => reject(connectionError(path, error)));
  return promise;
}

function connectionError(path: string, error: unknown): NetcombinerError {
  const code = codeOf(error);
  const isForbidden = code === "EACCES" || code === "EPERM";
  if (isForbidden) return new NetcombinerError(`${path}: permission denied`, EXIT.NO_PERMISSION, { cause: error });
  return new NetcombinerError(`${path}: nobody listens`, EXIT.UNAVAILABLE, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
