import { describe, expect, test } from "bun:test";
import { childEnvironment, inheritance, journalIsStderr } from "../../../src/daemon/process/handover.ts";
import { parseReadiness, readinessOn } from "../../../src/daemon/process/readiness.ts";
import { EXIT, NetcombinerError } from "../../../src/errors.ts";

describe("The second process", () => {
  test("gets only what it needs of the environment", () => {
    const environment = {
      PATH: "/evil",
      LD_PRELOAD: "/evil.so",
      BUN_OPTIONS: "--preload=/evil.js",
      BUN_BE_BUN: "1",
      NODE_OPTIONS: "-r /evil.js",
      HOME: "/root",
      NETCOMBINER_RUN_DIR: "/tmp/run",
      NETCOMBINER_TUN_FD: "9",
      SSH_CONNECTION: "192.0.2.7 50000 203.0.113.1 22",
    };
    expect(childEnvironment(environment)).toEqual({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      NETCOMBINER_RUN_DIR: "/tmp/run",
      SSH_CONNECTION: "192.0.2.7 50000 203.0.113.1 22",
      NETCOMBINER_TUN_FD: "3",
      NETCOMBINER_READY_FD: "4",
    });
  });

  test("knows from the environment what it holds", () => {
    expect(inheritance({})).toBeUndefined();
    expect(inheritance({ NETCOMBINER_TUN_FD: "" })).toBeUndefined();
    expect(inheritance({ NETCOMBINER_TUN_FD: "3", NETCOMBINER_READY_FD: "4" })).toEqual({ tunFd: 3, readyFd: 4 });
    expect(inheritance({ NETCOMBINER_TUN_FD: "3" })).toEqual({ tunFd: 3, readyFd: -1 });
  });

  test.each(["2", "-1", "x", "3.5", "99999"])("does not believe in descriptor %s", (fd) => {
    expect(() => inheritance({ NETCOMBINER_TUN_FD: fd })).toThrow("no descriptor");
  });

  test("takes standard error for the journal's only if it is", () => {
    expect(journalIsStderr({})).toBe(false);
    expect(journalIsStderr({ JOURNAL_STREAM: "1:1" })).toBe(false);
  });
});

describe("Readiness", () => {
  /** What a parent reads when a child of ours tells `body`. */
  function told(body: string): string {
    const module = new URL("../../../src/daemon/process/readiness.ts", import.meta.url).pathname;
    const errors = new URL("../../../src/errors.ts", import.meta.url).pathname;
    const script = `import { readinessOn } from ${JSON.stringify(module)};
      import { NetcombinerError } from ${JSON.stringify(errors)};
      const readiness = readinessOn(1); ${body}`;
    return Bun.spawnSync([process.execPath, "-e", script], { stdin: "ignore" }).stdout.toString();
  }

  test("is one line, whatever is said after it", () => {
    expect(told('readiness.ready(); readiness.failed(new Error("late"));')).toBe('{"ready":true}\n');
  });

  test("comes after how it went", () => {
    const lines = told('readiness.progress("[#] a\\nb"); readiness.ready(); readiness.progress("late");')
      .trim()
      .split("\n");
    expect(lines.map(parseReadiness)).toEqual([{ progress: "[#] a\nb" }, { ready: true }]);
  });

  test("carries the reason and the exit code", () => {
    const text = told(`readiness.failed(new NetcombinerError("line one\\nline two", ${EXIT.CONFIG}));`);
    expect(parseReadiness(text)).toEqual({ ready: false, exitCode: EXIT.CONFIG, reason: "line one\nline two" });
    expect(parseReadiness(told('readiness.failed(new Error("bug"));'))).toMatchObject({ exitCode: EXIT.SOFTWARE });
    expect(parseReadiness("")).toBeUndefined();
  });

  test("does not mind that nobody is there to hear it", () => {
    expect(() => readinessOn(1_000).failed(new NetcombinerError("x", EXIT.OS))).not.toThrow();
  });
});
