/**
 * The control socket of a running tunnel: a Unix socket that speaks JSON, one request and one answer a line.
 *
 *     {"command":"show","version":1}      {"ok":true, ...}
 *     anything else                       {"ok":false,"error":"..."}
 *
 * The fields of the requests, and the version, are in `requests.ts`.
 * Only the socket's owner can connect (mode 0600). Requests are bounded in length and number, and nothing a client sends throws.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { EXIT, NetcombinerError } from "../../errors.ts";
import { askControl } from "./client.ts";
import { type Parameters, parseRequest, REQUEST_SIZE_MAX } from "./requests.ts";

export const CLIENTS_MAX = 16;
const IDLE_MS = 30_000;

export type Answer =
  | { readonly ok: true; readonly [key: string]: unknown }
  | { readonly ok: false; readonly error: string };

/** The handlers by command; each is given the rest of the request. One that throws or rejects becomes an answer too. */
export type Commands = Readonly<Record<string, (parameters: Parameters) => Answer | Promise<Answer>>>;

export interface Control {
  /** Stops listening, removes the socket and disconnects the clients. */
  close(): void;
}

/**
 * Listens at `path`; a socket left behind by a process that is gone is replaced.
 * @throws NetcombinerError `TEMPORARY` when a live process has it ("nc0 is already running, pid 12")
 */
export async function openControl(path: string, interfaceName: string, commands: Commands): Promise<Control> {
  makeFolder(dirname(path));
  await assertNotRunning(path, interfaceName);
  removeSocket(path);
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= CLIENTS_MAX) return void socket.destroy();
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
    serve(socket, commands);
  });
  await listen(server, path);
  chmodSync(path, 0o600);
  return {
    close() {
      server.close();
      removeSocket(path);
      for (const client of clients) client.destroy();
    },
  };
}

/** Makes the folder, which everybody may list: the mode of each socket says who may connect. */
function makeFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true });
    if (made !== undefined) chmodSync(folder, 0o755);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`cannot make the folder ${folder}: ${problem}`, EXIT.CANT_CREATE, { cause: error });
  }
}

/** @throws NetcombinerError when a tunnel of this name answers at `path` */
export async function assertNotRunning(path: string, interfaceName: string): Promise<void> {
  const answer = await askControl(path, "status").catch((error: unknown) => {
    if (error instanceof NetcombinerError && error.exitCode === EXIT.UNAVAILABLE) return undefined;
    throw error;
  });
  if (!answer) return;
  throw new NetcombinerError(`${interfaceName} is already running, pid ${answer.pid}`, EXIT.TEMPORARY);
}

function removeSocket(path: string): void {
  try {
    // Anything else of that name belongs to somebody else; listening then fails and says so.
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // It is not there.
  }
}

function listen(server: Server, path: string): Promise<void> {
  // Between bind and chmod nobody may connect either.
  const umask = process.umask(0o177);
  return new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (error) => {
      const message = `cannot listen at ${path}: ${error.message}`;
      reject(new NetcombinerError(message, EXIT.CANT_CREATE, { cause: error }));
    });
    server.listen(path);
  }).finally(() => process.umask(umask));
}

/** Answers the requests of one client in turn, and reads no further meanwhile. */
function serve(socket: Socket, commands: Commands): void {
  let pending = "";
  const answerAll = async (lines: readonly string[]) => {
    for (const line of lines) {
      if (socket.destroyed) return;
      if (!socket.write(`${JSON.stringify(await answerTo(line, commands))}\n`)) await drained(socket);
    }
  };
  let queue = Promise.resolve();
  socket.setEncoding("utf8");
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop() ?? "";
    if (pending.length > REQUEST_SIZE_MAX) return void socket.destroy();
    socket.pause();
    queue = queue.then(() => answerAll(lines)).then(() => void socket.resume());
  });
  socket.on("end", () => {
    queue = queue.then(() => answerAll(pending === "" ? [] : [pending])).then(() => void socket.end());
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", () => resolve());
    socket.once("close", () => resolve());
  });
}

async function answerTo(line: string, commands: Commands): Promise<Answer> {
  try {
    const request = parseRequest(line);
    const handler = request && Object.hasOwn(commands, request.command) ? commands[request.command] : undefined;
    if (request && handler) return await handler(request.parameters);
    return { ok: false, error: `expected {"command":"..."} with one of ${Object.keys(commands).join(", ")}` };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
