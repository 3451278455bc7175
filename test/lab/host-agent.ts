/**
 * A host's voice in a namespace: answers on ports with its name and the address it was asked from, and asks others. Orders
 * come as lines of JSON on standard input, answers go out likewise; it ends with its input.
 */
import { connect, createServer, type Socket } from "node:net";
import { readLines } from "./lines.ts";

export type HostOrder =
  | {
      readonly id: number;
      readonly op: "serve";
      readonly name: string;
      readonly ports: readonly number[];
      readonly addresses: readonly string[];
      /** Where connections stay open, and what they say comes back. */
      readonly echoPort: number;
    }
  | { readonly id: number; readonly op: "hold"; readonly host: string; readonly port: number }
  | { readonly id: number; readonly op: "say"; readonly text: string }
  | {
      readonly id: number;
      readonly op: "tcp" | "udp";
      readonly host: string;
      readonly port: number;
      readonly from: string | undefined;
    };

export interface HostAnswer {
  readonly id: number;
  /** "client 198.18.0.2": who answered, and from where it was asked; or why nobody did. */
  readonly text: string;
}

/** Time for an answer: none takes over 100 ms on an idle machine, and only silence waits for all of it. */
const TIMEOUT_MS = 15_000;
const PAUSE_MS = 200;

async function serve(name: string, port: number, addresses: readonly string[]): Promise<void> {
  const plain = (address = "") => address.replace(/^::ffff:/, "");
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(`${name} ${plain(socket.remoteAddress)}`);
  });
  await new Promise<void>((resolve) => server.listen({ host: "::", port }, resolve));
  // A socket for each address, so that the answer comes from the one that was asked.
  for (const hostname of addresses) {
    await Bun.udpSocket({
      hostname,
      port,
      socket: { data: (socket, _data, from, address) => void socket.send(`${name} ${plain(address)}`, from, address) },
    });
  }
}

async function serveEcho(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen({ host: "::", port }, resolve));
}

let held: Socket | undefined;

/** Opens a connection and keeps it; gives the port it has here. */
function hold(host: string, port: number): Promise<string> {
  held?.destroy();
  const socket = connect({ host, port });
  held = socket;
  return new Promise((resolve) => {
    setTimeout(() => resolve("no answer"), TIMEOUT_MS);
    socket.on("error", (error: Error) => resolve(error.message));
    socket.on("connect", () => resolve(String(socket.localPort)));
  });
}

/** Returns what comes back over the connection that is held. */
function say(text: string): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve("no answer"), TIMEOUT_MS);
    held?.once("data", (data: Uint8Array) => resolve(new TextDecoder().decode(data)));
    held?.write(text);
  });
}

function askTcp(host: string, port: number, from: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy();
      resolve("no answer");
    });
    socket.on("data", (data: Uint8Array) => {
      text += new TextDecoder().decode(data);
    });
    socket.on("error", (error: Error) => resolve(error.message));
    socket.on("end", () => resolve(text));
  });
}

/** Asks again until its time is over: the first datagram to a neighbour may be lost. */
async function askUdp(host: string, port: number, from: string | undefined): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = await Bun.udpSocket({
    hostname: from ?? (host.includes(":") ? "::" : "0.0.0.0"),
    socket: { data: (_socket, data) => resolve(data.toString()), error: (_socket, error) => resolve(error.message) },
  });
  const timer = setInterval(() => socket.send("?", port, host), PAUSE_MS);
  socket.send("?", port, host);
  setTimeout(() => resolve("no answer"), TIMEOUT_MS);
  const answer = await promise;
  clearInterval(timer);
  socket.close();
  return answer;
}

async function obey(order: HostOrder): Promise<string> {
  if (order.op === "serve") {
    for (const port of order.ports) await serve(order.name, port, order.addresses);
    await serveEcho(order.echoPort);
    return "serving";
  }
  if (order.op === "hold") return await hold(order.host, order.port);
  if (order.op === "say") return await say(order.text);
  const { host, port, from } = order;
  return order.op === "tcp" ? await askTcp(host, port, from) : await askUdp(host, port, from);
}

if (import.meta.main) {
  await readLines(Bun.stdin.stream(), (line) => {
    const order = JSON.parse(line) as HostOrder;
    const answer = obey(order).catch((error: unknown) => String(error));
    void answer.then((text) => process.stdout.write(`${JSON.stringify({ id: order.id, text })}\n`));
  });
  process.exit(0);
}
