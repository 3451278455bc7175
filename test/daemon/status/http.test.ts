import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { CLIENTS_MAX, HEAD_SIZE_MAX, type HttpServer, openHttp, parseHead } from "../../../src/daemon/status/http.ts";
import { seeded } from "../../support/seed.ts";

const GOOD = "GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:9820\r\nAccept: */*";

describe("parseHead", () => {
  test("reads what is asked for", () => {
    expect(parseHead(GOOD)).toEqual({ method: "GET", path: "/metrics", host: "localhost:9820" });
    expect(parseHead("HEAD / HTTP/1.0")).toEqual({ method: "HEAD", path: "/", host: "" });
  });

  test.each([
    [405, "POST / HTTP/1.1\r\nHost: a"],
    [405, "DELETE /metrics HTTP/1.1\r\nHost: a"],
    [400, ""],
    [400, "GET metrics HTTP/1.1"],
    [400, "GET http://localhost/ HTTP/1.1"],
    [400, "get / HTTP/1.1"],
    [400, "GET  / HTTP/1.1"],
    [400, "GET /\u00e4 HTTP/1.1"],
    [400, `GET /${"a".repeat(3_000)} HTTP/1.1`],
    [505, "GET / HTTP/2.0"],
    [400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b"],
    [400, "GET / HTTP/1.1\r\n folded: a"],
    [400, "GET / HTTP/1.1\r\nHost : a"],
    [400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3"],
    [400, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"],
  ])("refuses with %d: %j", (status, head) => {
    expect(parseHead(head)).toBe(status);
  });

  test(
    "takes or refuses whatever comes",
    seeded((random) => {
      for (let i = 0; i < 2_000; i++) {
        const bytes = Buffer.from(GOOD, "latin1");
        for (let n = random.below(5); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
        const result = parseHead(bytes.toString("latin1"));
        if (typeof result === "number") expect([400, 405, 505]).toContain(result);
        else expect(result.path).toStartWith("/");
      }
    }),
  );
});

let server: HttpServer | undefined;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

async function open(): Promise<number> {
  server = await openHttp("127.0.0.1", 0, ({ method, path }) => {
    if (path === "/throws") throw new Error("x");
    return { status: 200, type: "text/plain", body: `${method} ${path} ü` };
  });
  return server.port;
}

/** Everything that comes back for `text`, until the other side closes. */
function raw(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
  sockets.push(socket);
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(answer));
  return promise;
}

describe("openHttp", () => {
  test("answers one request a connection, with length and without for HEAD", async () => {
    const port = await open();
    const response = await fetch(`http://127.0.0.1:${port}/a`);
    expect(await response.text()).toBe("GET /a ü");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "no-store",
      connection: "close",
      "content-length": "9",
      "x-content-type-options": "nosniff",
    });
    const head = await raw(port, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    expect(head).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(head).toContain("Content-Length: 10\r\n");
    expect(head).toEndWith("\r\n\r\n");
  });

  test("takes a request in pieces, refuses one without end, and outlives what throws", async () => {
    const port = await open();
    const slow = connect(port, "127.0.0.1");
    sockets.push(slow);
    const answered = Promise.withResolvers<string>();
    slow.on("data", (chunk) => answered.resolve(chunk.toString()));
    for (const piece of ["GET /p", " HTTP/1.1\r\n", "Host: a\r", "\n\r\n"]) {
      await new Promise<void>((done) => slow.write(piece, () => done()));
    }
    expect(await answered.promise).toStartWith("HTTP/1.1 200 OK");
    expect(await raw(port, `GET / HTTP/1.1\r\nX: ${"a".repeat(HEAD_SIZE_MAX)}`)).toStartWith("HTTP/1.1 431 ");
    expect(await raw(port, "GET /throws HTTP/1.1\r\n\r\n")).toStartWith("HTTP/1.1 500 ");
    expect(await raw(port, "BREW / HTTP/1.1\r\n\r\n")).toContain("Allow: GET, HEAD\r\n");
  });

  test("keeps no more clients than it may, and the others are served again when they go", async () => {
    const port = await open();
    const first = Array.from({ length: CLIENTS_MAX }, () => connect(port, "127.0.0.1"));
    sockets.push(...first);
    await Promise.all(first.map((socket) => new Promise((done) => socket.on("connect", done))));
    // The server counts a client once it has accepted it; an answer to the last shows that it has all of them.
    const last = first.at(-1) as Socket;
    const gone = new Promise((done) => last.on("close", done));
    last.write("GET /last HTTP/1.1\r\n\r\n");
    await new Promise((done) => last.once("data", done));
    await gone;
    const again = connect(port, "127.0.0.1");
    sockets.push(again);
    await new Promise((done) => again.on("connect", done));
    again.write("GET /");
    expect(await raw(port, "GET /refused HTTP/1.1\r\n\r\n")).toBe("");
  });
});
