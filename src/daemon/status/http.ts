/**
 * The part of HTTP/1.1 (RFC 9112) that serves a few documents: GET and HEAD, no bodies, one answer a connection. Clients, the size of a
 * request and the time for it are bounded, so that nobody can take descriptors or memory from the tunnel; nothing a client sends throws.
 */
import { createServer, type Server, type Socket } from "node:net";

export const HEAD_SIZE_MAX = 8_192;
export const CLIENTS_MAX = 32;
/** Time for sending the request and taking the answer. */
const CLIENT_TIMEOUT_MS = 5_000;

export interface HttpRequest {
  readonly method: "GET" | "HEAD";
  /** The target without its query. */
  readonly path: string;
  /** The Host field as it was sent. */
  readonly host: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export interface HttpServer {
  readonly port: number;
  close(): void;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** Listens at `host` and `port`; port 0 lets the system choose. Rejects when the system refuses. */
export async function openHttp(host: string, port: number, handler: HttpHandler): Promise<HttpServer> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    if (clients.size >= CLIENTS_MAX) return void socket.destroy();
    clients.add(socket);
    const timer = setTimeout(() => socket.destroy(), CLIENT_TIMEOUT_MS);
    socket.on("close", () => {
      clearTimeout(timer);
      clients.delete(socket);
    });
    serve(socket, handler);
  });
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", reject);
    server.listen(port, host);
  });
}

function serve(socket: Socket, handler: HttpHandler): void {
  let head = "";
  let isAnswered = false;
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    if (isAnswered) return;
    head += chunk;
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length <= HEAD_SIZE_MAX) return;
    isAnswered = true;
    void answer(socket, end < 0 || end > HEAD_SIZE_MAX ? 431 : parseHead(head.slice(0, end)), handler);
  });
}

async function answer(socket: Socket, request: HttpRequest | number, handler: HttpHandler): Promise<void> {
  let response: HttpResponse;
  try {
    response = typeof request === "number" ? plain(request) : await handler(request);
  } catch {
    response = plain(500);
  }
  const isHead = typeof request !== "number" && request.method === "HEAD";
  socket.end(render(response, isHead));
}

/** Returns a response that holds the name of its status. */
export function plain(status: number): HttpResponse {
  const headers = status === 405 ? { Allow: "GET, HEAD" } : {};
  return { status, type: "text/plain; charset=utf-8", body: `${REASONS[status]}\n`, headers };
}

function render({ status, type, body, headers }: HttpResponse, isHead: boolean): string | Uint8Array {
  const bytes = Buffer.from(body);
  const fields = {
    "Content-Type": type,
    "Content-Length": String(bytes.length),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    ...headers,
    Connection: "close",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`);
  return isHead ? head : Buffer.concat([head, bytes]);
}

const REQUEST_LINE = /^([A-Z]{1,16}) (\/[!-~]{0,2047}) HTTP\/(\d)\.\d$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/;

/** Returns the request, or the status that refuses it; `head` is without the empty line at its end. */
export function parseHead(head: string): HttpRequest | number {
  const [first = "", ...lines] = head.split("\r\n");
  const [, method, target = "", major] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined) return 400;
  if (major !== "1") return 505;
  const fields = lines.map((line) => FIELD.exec(line));
  if (fields.some((field) => field === null)) return 400;
  const named = (name: string) => fields.filter((field) => field?.[1]?.toLowerCase() === name);
  const [host, ...hosts] = named("host");
  // No body is taken, so that none can be mistaken for another request.
  const hasBody = named("transfer-encoding").length > 0 || named("content-length").some((field) => field?.[2] !== "0");
  if (hosts.length > 0) return 400;
  if (method !== "GET" && method !== "HEAD") return 405;
  if (hasBody) return 400;
  return { method, path: target.split("?")[0] as string, host: host?.[2] ?? "" };
}
