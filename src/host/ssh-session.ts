/** Finds the SSH session in which a command was typed, so that the command does not cut it. */
import { readFileSync } from "node:fs";

/** The two ends of its TCP connection, as in sshd's SSH_CONNECTION. */
export interface SshSession {
  readonly client: string;
  readonly clientPort: number;
  readonly serverPort: number;
}

/** Ancestors that are searched at most. */
const GENERATIONS = 32;

/** Parses SSH_CONNECTION; returns undefined if it is missing or malformed. */
export function parseSshConnection(text: string | undefined): SshSession | undefined {
  const [client, clientPort, , serverPort] = text?.split(" ") ?? [];
  if (client === undefined) return undefined;
  const session = { client, clientPort: Number(clientPort), serverPort: Number(serverPort) };
  const isWhole = [session.clientPort, session.serverPort].every((port) => port >= 1 && port <= 65_535);
  return isWhole && /^[0-9a-f.:]+$/i.test(client) ? session : undefined;
}

/** Returns the session from our own environment or the nearest ancestor's that has one (sudo removes it; Linux only). */
export function sshSession(environment: NodeJS.ProcessEnv = process.env, folder = "/proc"): SshSession | undefined {
  const own = parseSshConnection(environment.SSH_CONNECTION);
  let pid = String(process.ppid);
  for (let i = 0; i < GENERATIONS && own === undefined && Number(pid) > 1; i++) {
    const found = parseSshConnection(environmentOf(pid, folder));
    if (found) return found;
    pid = parentOf(pid, folder);
  }
  return own;
}

function environmentOf(pid: string, folder: string): string | undefined {
  const NAME = "SSH_CONNECTION=";
  const entry = read(`${folder}/${pid}/environ`)
    .split("\0")
    .find((text) => text.startsWith(NAME));
  return entry?.slice(NAME.length);
}

function parentOf(pid: string, folder: string): string {
  // The name in brackets may hold anything (proc_pid_stat(5)).
  return /\) \S (\d+) [^)]*$/.exec(read(`${folder}/${pid}/stat`))?.[1] ?? "";
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
