import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askControl } from "../../src/daemon/control/client.ts";
import { Daemon, type Surroundings, type SystemSetup } from "../../src/daemon/daemon.ts";
import { Log } from "../../src/daemon/process/log.ts";
import { Notifier } from "../../src/daemon/process/notify.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../src/endpoint.ts";
import { EXIT, NetcombinerError } from "../../src/errors.ts";
import { FakeThread } from "./fake-thread.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const HOST = `[Host]\nSharedKey = ${KEY}\nAddress = 10.47.0.1/24\n`;
const PEERS = "[Peer]\nName = a\nRemoteHost = 192.0.2.1\n[Peer]\nName = b\n";

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-daemon-"));
  file = join(folder, "nc0.conf");
  write(HOST + PEERS);
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}

function setUp(changes: Partial<Surroundings> = {}) {
  const thread = new FakeThread();
  const told: string[] = [];
  const ready = Promise.withResolvers<void>();
  let wakeUps = 0;
  const surroundings: Surroundings = {
    openTun: () => ({ fd: 77, close: () => void told.push("tun closed") }),
    configureInterface: ({ addresses, tunnel }) =>
      void told.push(`configured ${addresses.map((a) => `${a.address}/${a.prefix}`)} mtu ${tunnel.mtu}`),
    openWakePipe: () => ({ readFd: 78, wake: () => void wakeUps++, close: () => void told.push("pipe closed") }),
    createThread: () => thread,
    lookups: {
      host: async () => ["192.0.2.9"],
      interfaceAddresses: () => [parseEndpoint("198.51.100.1") as Endpoint],
      interfaceIndex: () => 0,
      bindsToInterfaces: true,
      timeout: 5_000,
    },
    log: new Log({ write: (level, text) => told.push(`${level}: ${text}`) }, () => 0),
    notifier: new Notifier("/notify", (_path, payload) => {
      told.push(`notify ${new TextDecoder().decode(payload).split("\n")[0]}`);
      return true;
    }),
    readiness: {
      progress: (text) => void told.push(`progress ${text}`),
      ready: () => {
        told.push("ready");
        ready.resolve();
      },
      failed: (error) => told.push(`failed ${error instanceof NetcombinerError ? error.exitCode : error}`),
    },
    now: () => 5_000_000,
    ...changes,
  };
  const daemon = new Daemon({ interface: "nc0", configurationPath: file, runDirectory: folder }, surroundings);
  return { thread, told, daemon, ready: ready.promise, socket: join(folder, "nc0.sock"), wakeUps: () => wakeUps };
}

function systemTelling(told: () => string[]): SystemSetup {
  const tell = (text: string) => async () => void told().push(text);
  return {
    heal: tell("healed"),
    prepare: tell("prepared"),
    configure: tell("set up"),
    restore: tell("restored"),
    finish: tell("finished"),
  };
}

/** Waits until the loop has nothing more to do at once. */
async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("Daemon", () => {
  test("starts in order, is ready when the data plane is, and takes everything down in reverse", async () => {
    const { thread, told, daemon, ready, socket, wakeUps } = setUp();
    const ended = daemon.run();
    await ready;
    const [start] = thread.of("start");
    expect(start).toMatchObject({ interface: "nc0", tunFd: 77, wakeFd: 78, tunnel: { mtu: 1400 } });
    expect(start?.links.map((link) => [link.settings.id, link.settings.name])).toEqual([
      [0, "a"],
      [1, "b"],
    ]);
    expect(structuredClone(start)).toEqual(start as NonNullable<typeof start>);
    daemon.stop("SIGTERM");
    expect(await ended).toBe(EXIT.OK);
    expect(told).toEqual([
      "configured 10.47.0.1/24 mtu 1400",
      "info: nc0 is up with 2 links",
      "notify READY=1",
      "ready",
      "notify STOPPING=1",
      "info: ending: SIGTERM",
      "pipe closed",
      "tun closed",
    ]);
    expect(thread.isTerminated).toBe(true);
    expect(wakeUps()).toBe(thread.received.length);
    expect(existsSync(socket)).toBe(false);
  });

  test("waits for the local portal before anything is opened, and starts with the key that came", async () => {
    const own = `[Host]\nPrivateKey = ${KEY}\nAddress = 10.47.0.1/24\n[Peer]\nPublicKey = join\n`;
    writeFileSync(file, own);
    const joined = Promise.withResolvers<void>();
    let isAborted = () => false;
    const { thread, told, daemon, ready, socket } = setUp({
      enrol: (configuration, path, signal) => {
        expect([configuration.awaitsPeer, path]).toEqual([true, file]);
        isAborted = () => signal.aborted;
        return joined.promise;
      },
    });
    const ended = daemon.run();
    await ready;
    expect(thread.received).toEqual([]);
    expect(askControl(socket, "show")).rejects.toThrow("waiting for the local portal");
    writeFileSync(file, own.replace("join", "3sZ9/9Ssr0zee6asxY1W17Jbi0UfWRohvnNkkCIhMVk="));
    joined.resolve();
    while (thread.of("start").length === 0) await settled();
    expect(thread.of("start")[0]?.tunnel.peerKey?.toBase64()).toStartWith("3sZ9/");
    expect(isAborted()).toBe(true);
    daemon.stop("SIGTERM");
    expect(await ended).toBe(EXIT.OK);
    expect(told.filter((line) => line === "ready")).not.toEqual([]);
  });

  test("ends while it waits for the local portal, and with the reason where none can join", async () => {
    writeFileSync(file, `[Host]\nPrivateKey = ${KEY}\n[Peer]\nPublicKey = join\n`);
    const waiting = setUp({ enrol: () => new Promise(() => undefined) });
    const ended = waiting.daemon.run();
    await waiting.ready;
    waiting.daemon.stop("SIGTERM");
    expect(await ended).toBe(EXIT.OK);
    const failing = setUp({ enrol: () => Promise.reject(new NetcombinerError("port taken", EXIT.OS)) });
    expect(await failing.daemon.run()).toBe(EXIT.OS);
    expect(failing.told).toContain("error: port taken");
  });

  test("sets up the host around the tunnel, and takes that back while the interface is there", async () => {
    const { told, daemon, ready } = setUp({ system: systemTelling(() => told) });
    const ended = daemon.run();
    await ready;
    daemon.stop("SIGTERM");
    expect(await ended).toBe(EXIT.OK);
    expect(told.filter((text) => !/^(info|notify)/.test(text))).toEqual([
      "healed",
      "prepared",
      "configured 10.47.0.1/24 mtu 1400",
      "set up",
      "ready",
      "restored",
      "pipe closed",
      "tun closed",
      "finished",
    ]);
  });

  test("takes back what was set up when the rest of it fails, whatever else fails on the way", async () => {
    const { thread, told, daemon } = setUp({
      system: {
        ...systemTelling(() => told),
        configure: () => Promise.reject(new NetcombinerError("no route", EXIT.OS)),
        restore: () => Promise.reject(new NetcombinerError("not undone", EXIT.OS)),
      },
    });
    expect(await daemon.run()).toBe(EXIT.OS);
    expect(told.slice(-5)).toEqual([`failed ${EXIT.OS}`, "error: not undone", "pipe closed", "tun closed", "finished"]);
    expect(thread.isTerminated).toBe(true);
  });

  test("tells what was wrong and leaves nothing behind when it cannot start", async () => {
    const cases: [Partial<Surroundings>, number, string][] = [
      [
        {
          openTun: () => {
            throw new NetcombinerError("no TUN", EXIT.NO_PERMISSION);
          },
        },
        EXIT.NO_PERMISSION,
        "error: no TUN",
      ],
      [
        {
          configureInterface: () => {
            throw new NetcombinerError("no address", EXIT.OS);
          },
        },
        EXIT.OS,
        "error: no address",
      ],
      [{ configureInterface: () => Promise.reject(new Error("bug")) }, EXIT.SOFTWARE, "error: bug"],
    ];
    for (const [changes, exitCode, line] of cases) {
      const { told, daemon, socket } = setUp(changes);
      expect(await daemon.run()).toBe(exitCode as typeof EXIT.OS);
      expect(told).toContain(line);
      expect(told.some((text) => text.startsWith("failed"))).toBe(true);
      expect(told).not.toContain("ready");
      expect(existsSync(socket)).toBe(false);
    }
  });

  test("does not start with a faulty file", async () => {
    write("[Host]\nMTU = 1\n[Peer]\n");
    const { told, daemon } = setUp();
    expect(await daemon.run()).toBe(EXIT.CONFIG);
    expect(told).toContain(`error: ${file}:2: Host.MTU invalid: min 576; given 1`);
    expect(told).toContain(`failed ${EXIT.CONFIG}`);
  });

  test("does not start when the data plane does not", async () => {
    const { thread, told, daemon } = setUp();
    thread.answersStart = { type: "stopped", cause: "fault", reason: "no arena" };
    expect(await daemon.run()).toBe(EXIT.OS);
    expect(told).toContain("error: the tunnel did not start: no arena");
    expect(thread.isTerminated).toBe(true);
  });

  test("ends well when the interface is deleted, and with an error when the data plane breaks", async () => {
    for (const cause of ["interface-gone", "fault"] as const) {
      const { thread, told, daemon, ready } = setUp();
      const ended = daemon.run();
      await ready;
      thread.say({ type: "stopped", cause, reason: "why" });
      expect(await ended).toBe(cause === "fault" ? EXIT.SOFTWARE : EXIT.OK);
      const line =
        cause === "fault" ? "error: the data plane ended: why" : "info: the interface is gone, so is the tunnel: why";
      expect(told).toContain(line);
    }
  });

  test("ends with an error when the worker's thread dies", async () => {
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    thread.onerror?.({ message: "out of memory" });
    thread.end();
    expect(await ended).toBe(EXIT.SOFTWARE);
    expect(told).toContain("error: the data plane ended: out of memory");
  });

  test("ends with an error when the worker's thread ends without a message", async () => {
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    thread.answersStop = false;
    thread.end();
    expect(await ended).toBe(EXIT.SOFTWARE);
    expect(told).toContain("error: the data plane ended: its thread ended without a message");
  });

  test("looks up addresses for the data plane, and passes its log on", async () => {
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    const transport = thread.of("start")[0]?.links[0]?.transport;
    if (!transport) throw new Error("no link");
    thread.say({ type: "resolve", link: 0, attempt: 3, transport: { ...transport, remoteHost: "portal.example" } });
    thread.say({ type: "resolve", link: 1, attempt: 4, transport: { ...transport, remoteHost: "fe80::1%eth9" } });
    thread.say({ type: "log", level: "warn", key: "x", text: "link a is slow" });
    await settled();
    const [resolved] = thread.of("resolved");
    expect(resolved).toMatchObject({ link: 0, attempt: 3 });
    expect(formatEndpoint(resolved?.remote as Endpoint)).toBe("192.0.2.9:4725");
    expect(thread.of("unresolved")).toEqual([
      { type: "unresolved", link: 1, attempt: 4, reason: "interface eth9 does not exist" },
    ]);
    expect(told).toContain("warn: link a is slow");
    daemon.stop("done");
    await ended;
  });

  test("reloads links that changed and keeps the others", async () => {
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    write(`${HOST}LogLevel = debug\nMTU = 1300\n[Peer]\nName = a\nRemoteHost = 192.0.2.1\n[Peer]\nName = c\n`);
    expect(daemon.reload()).toEqual({ ok: true, kept: 1, added: 1, removed: 1, needsRestart: ["MTU"] });
    expect(thread.of("remove-link")).toEqual([{ type: "remove-link", link: 1 }]);
    expect(thread.of("add-link").map((message) => message.link.settings)).toMatchObject([{ id: 2, name: "c" }]);
    expect(told.filter((line) => line.startsWith("notify"))).toEqual([
      "notify READY=1",
      "notify RELOADING=1",
      "notify READY=1",
    ]);
    expect(told).toContain("warn: reloaded: MTU changed in [Host] and will take effect after a restart");
    daemon.stop("done");
    await ended;
  });

  test("serves the status page where the configuration says, and no longer when it says otherwise", async () => {
    const spare = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => spare.once("listening", done));
    const { port } = spare.address() as { port: number };
    await new Promise((done) => spare.close(done));
    write(`${HOST}Metrics = 127.0.0.1:${port}\n${PEERS}`);
    const { daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    const ask = () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    expect(await ask()).toStartWith("<!doctype html>");
    write(HOST + PEERS);
    expect(daemon.reload()).toMatchObject({ ok: true, needsRestart: [] });
    await settled();
    await expect(ask()).rejects.toThrow();
    daemon.stop("SIGTERM");
    expect(await ended).toBe(EXIT.OK);
  });

  test("logs at a limited rate that it cannot take part in the peer's speed tests", async () => {
    // No host has this address, so that nothing can listen there (RFC 5737).
    write(`${HOST.replace(/^Address.*$/m, "")}Address = 192.0.2.77/24\n${PEERS}`);
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    const asked = 50;
    for (let token = 0; token < asked; token++) {
      thread.say({ type: "responder-wanted", token, secret: new Uint8Array(16).fill(token), seconds: 1 });
    }
    const complaints = () => told.filter((line) => line.includes("speed test")).length;
    for (let turn = 0; turn < 100 && complaints() < asked; turn++) await settled();
    const BURST = 10;
    expect(complaints()).toBe(BURST);
    daemon.stop("test over");
    await ended;
  });

  test("changes nothing on a reload of a faulty file", async () => {
    const { thread, told, daemon, ready } = setUp();
    const ended = daemon.run();
    await ready;
    const before = thread.received.length;
    write(`${HOST}[Peer]\nMetric = x\n`);
    expect(daemon.reload().ok).toBe(false);
    expect(thread.received.length).toBe(before);
    expect(told).toContain(
      `error: ${file}:5: Peer[0].Metric invalid: expected a whole number from 0 to 65535; given x`,
    );
    rmSync(file);
    expect(daemon.reload().ok).toBe(false);
    daemon.stop("done");
    expect(await ended).toBe(EXIT.OK);
  });

  test("changes a link as asked at its control socket, and only one there is", async () => {
    const { thread, daemon, ready, socket } = setUp();
    const ended = daemon.run();
    await ready;
    await askControl(socket, "link", { parameters: { link: "b", action: "metric", metric: 10 } });
    await askControl(socket, "link", { parameters: { link: "a", action: "down" } });
    expect(thread.of("change-link")).toEqual([
      { type: "change-link", link: 1, change: { action: "metric", metric: 10 } },
      { type: "change-link", link: 0, change: { action: "down" } },
    ]);
    const wrong = (parameters: Record<string, unknown>) => askControl(socket, "link", { parameters });
    expect(wrong({ link: "c", action: "down" })).rejects.toThrow("no link c; there are a, b");
    expect(wrong({ link: "a", action: "metric", metric: -1 })).rejects.toThrow("metric: ");
    await wrong({ link: "a" }).catch(() => undefined);
    expect(thread.of("change-link")).toHaveLength(2);
    daemon.stop("done");
    await ended;
  });

  test("answers at its control socket, and ends when told there", async () => {
    const { daemon, ready, socket, told } = setUp();
    const ended = daemon.run();
    await ready;
    const snapshot = { security: "blake2s", links: [] };
    expect(await askControl(socket, "show")).toMatchObject({ interface: "nc0", pid: process.pid, uptime: 0, snapshot });
    expect(await askControl(socket, "reload")).toMatchObject({ kept: 2, added: 0, removed: 0 });
    const { lines } = await askControl(socket, "log");
    expect(lines).toContainEqual(expect.stringMatching(/^\S+Z info: nc0 is up with 2 links$/));
    expect((await askControl(socket, "down")).pid).toBe(process.pid);
    expect(await ended).toBe(EXIT.OK);
    expect(told).toContain("info: ending: asked by netcombiner down");
  });
});
