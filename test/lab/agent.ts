/** A traffic agent, a process of its own inside a namespace; see agent-protocol.ts. It ends with its standard input. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Micros } from "../../src/clock.ts";
import type { AgentOrder, AgentReport, Ends } from "./agent-protocol.ts";
import { readLines } from "./lines.ts";

const CHUNK = new Uint8Array(128 * 1_024).fill(0x6e);
const REPORT_MILLIS = 100;
/** Enough for three SYNs to be lost (1, 2 and 4 s, RFC 6298), and for a machine that is busy. */
const CONNECT_MILLIS = 15_000;
/** The first bytes of a connection: what it is for, its token and a duration, padded. */
const HEADER_LENGTH = 32;
const NONCE_DIGITS = 8;
const DATAGRAM_HEADER = 16;

type Row = readonly [number, Micros, Micros];

function report(line: AgentReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function microsNow(): Micros {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Collects what `add` gives and reports it every 100 ms. */
class Gatherer<T> {
  #items: T[] = [];
  readonly #timer: Timer;
  readonly #tell: (items: T[]) => void;

  constructor(tell: (items: T[]) => void) {
    this.#tell = tell;
    this.#timer = setInterval(() => this.#flush(), REPORT_MILLIS);
  }

  add(item: T): void {
    this.#items.push(item);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#flush();
  }

  #flush(): void {
    if (this.#items.length > 0) this.#tell(this.#items);
    this.#items = [];
  }
}

/** Reports the bytes of a connection every 100 ms until it closes. */
function sink(socket: Socket, token: number): void {
  let bytes = 0;
  const tell = () => {
    report({ kind: "bytes", token, at: microsNow(), bytes });
    bytes = 0;
  };
  const timer = setInterval(tell, REPORT_MILLIS);
  socket.on("data", (data: Uint8Array) => {
    bytes += data.length;
  });
  socket.on("close", () => {
    clearInterval(timer);
    tell();
  });
}

/** Sends for a time, then breaks the connection off, so that nothing of it is left in the queues' senders. */
function source(socket: Socket, millis: number, done: () => void): void {
  let isOpen = true;
  const fill = () => {
    while (isOpen && socket.write(CHUNK));
  };
  socket.on("drain", fill);
  socket.on("close", () => {
    isOpen = false;
  });
  setTimeout(() => {
    isOpen = false;
    socket.resetAndDestroy();
    done();
  }, millis);
  fill();
}

function answerPings(socket: Socket): void {
  let pending = "";
  socket.on("data", (data: Uint8Array) => {
    pending += new TextDecoder().decode(data);
    for (; pending.length >= 4 + NONCE_DIGITS; pending = pending.slice(4 + NONCE_DIGITS))
      socket.write(`po${pending.slice(2, 4 + NONCE_DIGITS)}`);
  });
}

function accept(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.once("data", (data: Uint8Array) => {
    const [purpose, token, millis] = new TextDecoder().decode(data.subarray(0, HEADER_LENGTH)).trim().split(" ");
    if (purpose === "up") sink(socket, Number(token));
    else if (purpose === "down") source(socket, Number(millis), () => undefined);
    else answerPings(socket);
  });
}

function open({ from, host, port }: Ends, header: string, token: number, opened: (socket: Socket) => void): void {
  const socket = connect({ host, port, localAddress: from, noDelay: true });
  let isConnected = false;
  // Once connected, an end broken off is how transfers end; what was lost shows in the figures.
  socket.on("error", (error: Error) => {
    if (!isConnected) report({ kind: "failed", token, reason: error.message });
  });
  const timer = setTimeout(() => {
    report({ kind: "failed", token, reason: `no TCP connection in ${CONNECT_MILLIS} ms` });
    socket.destroy();
  }, CONNECT_MILLIS);
  socket.on("connect", () => {
    clearTimeout(timer);
    isConnected = true;
    socket.write(header.padEnd(HEADER_LENGTH));
    opened(socket);
  });
}

function bulk({ token, way, millis, to }: Extract<AgentOrder, { op: "bulk" }>): void {
  const done = () => report({ kind: "done", token, sent: 0 });
  open(to, `${way} ${token} ${millis}`, token, (socket) => {
    if (way === "up") {
      // The header alone in a segment: the server reads it as its first data.
      setTimeout(() => source(socket, millis, done), 30);
      return;
    }
    sink(socket, token);
    // Through a link that was cut the server's reset may never come.
    setTimeout(() => {
      socket.destroy();
      done();
    }, millis + 30);
  });
}

function pingPong({ token, pause, millis, to }: Extract<AgentOrder, { op: "pingpong" }>): void {
  const gatherer = new Gatherer<Micros>((times) => report({ kind: "pongs", token, times }));
  open(to, "ping", token, (socket) => {
    let number = 0;
    let pending = "";
    const nonce = () => number.toString(16).padStart(NONCE_DIGITS, "0");
    const ask = () => socket.write(`ping${nonce()}`);
    socket.on("data", (data: Uint8Array) => {
      pending += new TextDecoder().decode(data);
      if (pending.length < 4 + NONCE_DIGITS) return;
      if (pending !== `pong${nonce()}`) report({ kind: "failed", token, reason: `unexpected answer ${pending}` });
      pending = "";
      number++;
      gatherer.add(microsNow());
      setTimeout(ask, pause);
    });
    setTimeout(ask, 20);
    setTimeout(() => {
      socket.destroy();
      gatherer.end();
      report({ kind: "done", token, sent: number });
    }, millis);
  });
}

async function stream({ token, size, perSecond, millis, to }: Extract<AgentOrder, { op: "stream" }>): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: to.from });
  const datagram = new Uint8Array(size);
  const view = new DataView(datagram.buffer);
  view.setUint32(0, token);
  const began = microsNow();
  let sent = 0;
  const timer = setInterval(() => {
    const elapsed = Math.min(microsNow() - began, millis * 1_000);
    for (; sent < (elapsed * perSecond) / 1e6; sent++) {
      view.setUint32(4, sent);
      view.setFloat64(8, microsNow());
      socket.send(datagram, to.port, to.host);
    }
    if (elapsed < millis * 1_000) return;
    clearInterval(timer);
    socket.close();
    report({ kind: "done", token, sent });
  }, 2);
}

async function serve(host: string, port: number): Promise<void> {
  const server: Server = createServer(accept);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on("error", reject);
  server.listen({ host, port }, resolve);
  await promise;
  const streams = new Map<number, Gatherer<Row>>();
  await Bun.udpSocket({
    hostname: host,
    port,
    socket: {
      data(_socket, data) {
        if (data.length < DATAGRAM_HEADER) return;
        const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
        const token = view.getUint32(0);
        let gatherer = streams.get(token);
        if (!gatherer) {
          gatherer = new Gatherer((rows) => report({ kind: "datagrams", token, rows }));
          streams.set(token, gatherer);
        }
        gatherer.add([view.getUint32(4), view.getFloat64(8), microsNow()]);
      },
    },
  });
  report({ kind: "ready" });
}

function obey(order: AgentOrder): void {
  if (order.op === "serve") void serve(order.host, order.port);
  else if (order.op === "bulk") bulk(order);
  else if (order.op === "pingpong") pingPong(order);
  else void stream(order);
}

if (import.meta.main) {
  process.stdout.on("error", () => process.exit(0));
  await readLines(Bun.stdin.stream(), (line) => obey(JSON.parse(line) as AgentOrder));
  process.exit(0);
}
