/** Asks a running tunnel through its control socket. */
import { readdirSync } from "node:fs";
import { createConnection } from "node:net";
import { EXIT, NetcombinerError } from "../../errors.ts";
import { runDirectory } from "../process/locations.ts";
import { CONTROL_VERSION } from "./requests.ts";

const ANSWER_SIZE_MAX = 16 << 20;
const ANSWER_TIMEOUT_MS = 5_000;

/** The parameters of a command, and the time its answer may take, milliseconds. */
export interface AskOptions {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly timeout?: number;
}

/**
 * Sends one command and returns the fields of the answer.
 * @throws NetcombinerError `UNAVAILABLE` when nobody listens, `NO_PERMISSION`, `PROTOCOL` for no answer or an invalid one,
 * `TEMPORARY` with the error that was answered
 */
export async function askControl(
  path: string,
  command: string,
  { parameters = {}, timeout = ANSWER_TIMEOUT_MS }: AskOptions = {},
): Promise<Record<string, unknown>> {
  const request = JSON.stringify({ ...parameters, command, version: CONTROL_VERSION });
  const answer = parseAnswer(await exchange(path, `${request}\n`, timeout));
  if (!answer) throw new NetcombinerError(`${path}: the answer is not of the control protocol`, EXIT.PROTOCOL);
  if (answer.ok !== true) throw new NetcombinerError(String(answer.error), EXIT.TEMPORARY);
  return answer;
}

/** Returns the names of the interfaces that have a control socket, alive or not. @throws NetcombinerError when the folder cannot be read */
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

/** Sends `request` and returns the line that answers it. */
function exchange(path: string, request: string, timeout: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const socket = createConnection({ path });
  const fail = (message: string) => {
    reject(new NetcombinerError(message, EXIT.PROTOCOL));
    socket.destroy();
  };
  socket.setEncoding("utf8");
  socket.setTimeout(timeout, () => fail(`${path}: no answer`));
  socket.on("connect", () => socket.write(request));
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > ANSWER_SIZE_MAX) fail(`${path}: the answer is longer than ${ANSWER_SIZE_MAX} bytes`);
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
