import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askControl, controlledInterfaces } from "../../../src/daemon/control/client.ts";
import { REQUEST_SIZE_MAX } from "../../../src/daemon/control/requests.ts";
import { CLIENTS_MAX, type Control, openControl } from "../../../src/daemon/control/server.ts";
import { EXIT, NetcombinerError } from "../../../src/errors.ts";

let folder = "";
let path = "";
let control: Control | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-control-"));
  path = join(folder, "run", "nc0.sock");
});

afterEach(() => {
  control?.close();
  control = undefined;
  rmSync(folder, { recursive: true });
});

async function open(): Promise<void> {
  control = await openControl(path, "nc0", {
    status: () => ({ ok: true, pid: 42 }),
    show: async () => ({ ok: true, text: "x".repeat(1_000_000) }),
    fail: () => {
      throw new Error("it failed");
    },
  });
}

/** Sends `bytes`, ends, and gives everything that comes back. */
function converse(bytes: string | Uint8Array): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const socket = createConnection({ path, allowHalfOpen: true });
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(text));
  socket.on("end", () => socket.end());
  socket.end(bytes);
  return promise;
}

async function errorOf(promise: Promise<unknown>): Promise<NetcombinerError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NetcombinerError);
  return error as NetcombinerError;
}

describe("The control socket", () => {
  test("answers, and is for its owner alone", async () => {
    const umask = process.umask(0o077);
    await open().finally(() => process.umask(umask));
    expect(await askControl(path, "status")).toEqual({ ok: true, pid: 42 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "run")).mode & 0o777).toBe(0o755);
    expect(controlledInterfaces(join(folder, "run"))).toEqual(["nc0"]);
  });

  test("answers several requests of one client in their order, long answers too", async () => {
    await open();
    const answers = await converse('{"command":"show"}\n{"command":"status"}\n{"command":"show"}');
    const lines = answers.trimEnd().split("\n");
    expect(lines.map((line) => line.length > 1_000)).toEqual([true, false, true]);
    expect(lines[1]).toBe('{"ok":true,"pid":42}');
  });

  test("passes on what went wrong", async () => {
    await open();
    expect((await errorOf(askControl(path, "fail"))).message).toBe("it failed");
    expect((await errorOf(askControl(path, "nonsense"))).message).toContain("expected");
  });

  const JUNK: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["an empty line", "\n"],
    ["no JSON", "show\n"],
    ["JSON that is no object", '"show"\nnull\n[]\n7\n'],
    ["a command that is no text", '{"command":1}\n{"command":{"a":1}}\n{"command":null}\n'],
    ["a command of every object", '{"command":"constructor"}\n{"command":"__proto__"}\n{"command":"toString"}\n'],
    ["a deep nest", `${"[".repeat(4_000)}\n`],
    ["control characters", "\0\x01\x02\n\x1b[2J\n"],
  ];

  test.each(JUNK)("only shrugs at %s", async (_what, text) => {
    await open();
    const answers = (await converse(text)).split("\n").filter(Boolean);
    for (const answer of answers) expect(JSON.parse(answer).ok).toBe(false);
    expect(answers.length).toBe(text.split("\n").length - 1);
    expect((await askControl(path, "status")).pid).toBe(42);
  });

  test("refuses another version of its protocol", async () => {
    await open();
    expect(await converse('{"command":"status","version":1}\n')).toBe('{"ok":true,"pid":42}\n');
    const answer = JSON.parse(await converse('{"command":"status","version":2}\n'));
    expect(answer).toEqual({
      ok: false,
      error: "the tunnel has version 1 of the control protocol, not 2: restart it",
    });
    expect(JSON.parse(await converse('{"command":"status","version":"1"}\n')).ok).toBe(false);
  });

  test("lets go of a client that sends a line without end, or bytes that are no text", async () => {
    await open();
    expect(await converse("x".repeat(REQUEST_SIZE_MAX + 2))).toBe("");
    expect(await converse(Uint8Array.from({ length: 3_000 }, (_, i) => 0x80 | (i % 0x80)))).not.toContain('"ok":true');
    expect(await converse(`{"command":"status","pad":"${"x".repeat(REQUEST_SIZE_MAX)}"}\n`)).not.toContain('"ok":true');
    expect((await askControl(path, "status")).pid).toBe(42);
  });

  test("does not choke on a client that asks and never listens", async () => {
    await open();
    const deaf = createConnection({ path });
    deaf.on("error", () => {});
    await new Promise((resolve) => deaf.once("connect", resolve));
    deaf.pause();
    deaf.write('{"command":"show"}\n'.repeat(50));
    expect((await askControl(path, "status")).pid).toBe(42);
    deaf.destroy();
    expect((await askControl(path, "status")).pid).toBe(42);
  });

  test("takes so many clients and no more", async () => {
    await open();
    const connect = () =>
      new Promise<Socket>((resolve) => {
        const socket = createConnection({ path });
        socket.on("error", () => {});
        socket.once("connect", () => resolve(socket));
      });
    const clients: Socket[] = [];
    for (let i = 0; i < CLIENTS_MAX; i++) clients.push(await connect());
    const closed = new Promise((resolve) => void connect().then((extra) => extra.once("close", resolve)));
    await closed;
    const freed = new Promise((resolve) => clients[0]?.once("close", resolve));
    clients[0]?.destroy();
    await freed;
    for (;;) {
      // The server learns of the end in its own time.
      const answer = await askControl(path, "status").catch(() => undefined);
      if (answer) break;
    }
    for (const client of clients) client.destroy();
  });

  test("is not taken from a process that lives", async () => {
    await open();
    const error = await errorOf(openControl(path, "nc0", {}));
    expect(error).toMatchObject({ message: "nc0 is already running, pid 42", exitCode: EXIT.TEMPORARY });
    expect((await askControl(path, "status")).pid).toBe(42);
  });

  test("is taken over from a process that died", async () => {
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await Bun.spawn(["mkdir", "-p", join(folder, "run")]).exited;
    await Bun.spawn([process.execPath, "-e", script]).exited;
    expect(existsSync(path)).toBe(true);
    await open();
    expect((await askControl(path, "status")).pid).toBe(42);
  });

  test("does not remove a file that is no socket", async () => {
    await Bun.spawn(["mkdir", "-p", join(folder, "run")]).exited;
    writeFileSync(path, "precious");
    expect((await errorOf(open())).exitCode).toBe(EXIT.CANT_CREATE);
    expect(await Bun.file(path).text()).toBe("precious");
  });

  test("is gone when closed", async () => {
    await open();
    control?.close();
    expect(existsSync(path)).toBe(false);
    expect((await errorOf(askControl(path, "status"))).exitCode).toBe(EXIT.UNAVAILABLE);
  });
});
