import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../../src/errors.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-cli-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `netcombiner` from source, with an empty folder of control sockets. */
function netcombiner(...args: string[]) {
  const environment = { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: join(folder, "run") };
  const result = Bun.spawnSync([process.execPath, MAIN, ...args], { cwd: folder, env: environment, stdin: "ignore" });
  return { code: result.exitCode, out: result.stdout.toString(), err: result.stderr.toString() };
}

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("netcombiner", () => {
  test("makes keys that are good and never the same", () => {
    const keys = [netcombiner("genkey"), netcombiner("genkey")].map((result) => result.out.trim());
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(keys[0]).not.toBe(keys[1]);
    const path = file("genkey.conf", `[Host]\nSharedKey = ${keys[0]}\n[Peer]\n`);
    expect(netcombiner("check", "-c", path)).toMatchObject({ code: EXIT.OK, out: `${path}: valid, 1 link\n`, err: "" });
  });

  test("tells all faults of a file, each with its line, and nothing else", () => {
    const path = file("bad.conf", "[Host]\nMTU = 1\n[Peer]\nPort = 1\n");
    const lines = [
      `${path}:1: Host.PrivateKey missing: make one with "netcombiner genkey", or set a SharedKey alone, the same at both portals`,
      `${path}:2: Host.MTU invalid: min 576; given 1`,
      `${path}:4: Peer[0].Port unknown: expected one of `,
    ];
    for (const command of [
      ["check", "nc0", "-c", path],
      ["run", "nc0", "-c", path],
      ["nc0", `--config=${path}`],
    ]) {
      const { code, out, err } = netcombiner(...command);
      expect({ code, out }).toEqual({ code: EXIT.CONFIG, out: "" });
      for (const line of lines) expect(err).toContain(line);
    }
  });

  test("says its version", () => {
    for (const args of [["version"], ["--version"]]) {
      const { code, out } = netcombiner(...args);
      expect(code).toBe(EXIT.OK);
      expect(out).toMatch(/^netcombiner \d+\.\d+\.\d+\S*\n$/);
    }
  });

  test("shows nothing when nothing runs", () => {
    expect(netcombiner()).toMatchObject({ code: EXIT.OK, out: "no tunnel is running\n" });
    expect(netcombiner("show", "all")).toMatchObject({ code: EXIT.OK, out: "no tunnel is running\n" });
    expect(netcombiner("show", "--json")).toMatchObject({ code: EXIT.OK, out: "[]\n" });
    expect(netcombiner("show", "interfaces")).toMatchObject({ code: EXIT.OK, out: "" });
    expect(netcombiner("show", "all", "dump")).toMatchObject({ code: EXIT.OK, out: "" });
  });

  test("helps, in plain text where there is no terminal", () => {
    for (const args of [["--help"], ["-h"], ["nc0", "--help"], ["show", "--help"], ["run", "nc0", "-h"]]) {
      const { code, out, err } = netcombiner(...args);
      expect({ code, err }).toEqual({ code: EXIT.OK, err: "" });
      expect(out).toContain("USAGE netcombiner");
      expect(out).not.toContain("\x1b");
    }
    const { out: overview } = netcombiner("--help");
    for (const name of ["run", "check", "genkey", "show", "reload", "up", "down", "version"]) {
      expect(overview).toContain(name);
    }
  });

  const REFUSED: readonly (readonly [code: number, complaint: string, ...args: string[]])[] = [
    [EXIT.USAGE, "'--bogus'", "--bogus"],
    [EXIT.USAGE, "'--bogus'", "nc0", "--bogus"],
    [EXIT.USAGE, "'--bogus'", "show", "--bogus=1"],
    [EXIT.USAGE, "'-x'", "check", "nc0", "-x"],
    [EXIT.USAGE, "'--no-json'", "show", "--no-json"],
    [EXIT.USAGE, "'-c'", "genkey", "-c", "file"],
    [EXIT.USAGE, "argument missing", "nc0", "-c"],
    [EXIT.USAGE, "does not take an argument", "show", "--json=yes"],
    [EXIT.USAGE, "unexpected argument: nc1", "nc0", "nc1"],
    [EXIT.USAGE, "unexpected argument: x", "genkey", "x"],
    [EXIT.USAGE, "unexpected argument: nc1", "down", "nc0", "nc1"],
    [EXIT.USAGE, 'unknown action "send"', "metrics", "send"],
    [EXIT.USAGE, "needs the name of a file", "metrics", "write"],
    [EXIT.USAGE, "unexpected argument: nc1", "metrics", "print", "nc0", "nc1"],
    [EXIT.UNAVAILABLE, "nc9 is not running", "metrics", "print", "nc9"],
    [EXIT.CANT_CREATE, "cannot write /nonexistent/nc.prom", "metrics", "write", "/nonexistent/nc.prom"],
    [EXIT.USAGE, 'unknown field "nonsense"', "show", "all", "nonsense"],
    [EXIT.USAGE, "exclude each other", "show", "all", "rtt", "--json"],
    [EXIT.USAGE, "names alone", "show", "interfaces", "rtt"],
    [EXIT.USAGE, "INTERFACE", "run"],
    [EXIT.USAGE, "INTERFACE", "down"],
    [EXIT.USAGE, "INTERFACE", "up"],
    [EXIT.USAGE, "'--dry'", "up", "nc0", "--dry"],
    [EXIT.USAGE, "check needs", "check"],
    [EXIT.USAGE, '"show" is a command', "run", "show"],
    [EXIT.USAGE, '"check" is a command', "down", "check"],
    [EXIT.USAGE, "cannot name an interface", "abcdefghijklmnop"],
    [EXIT.USAGE, "cannot name an interface", "a/b"],
    [EXIT.USAGE, "cannot name an interface", ".."],
    [EXIT.USAGE, "cannot name an interface", "show", "nc 0"],
    [EXIT.NO_INPUT, "no such file", "nc0", "-c", "/nonexistent/nc0.conf"],
    [EXIT.NO_INPUT, "no such file", "check", "nc-none-0"],
    [EXIT.NO_INPUT, "no such file", "up", "nc0", "-c", "/nonexistent/nc0.conf"],
    [EXIT.UNAVAILABLE, "nc9 is not running", "show", "nc9"],
    [EXIT.UNAVAILABLE, "nc9 is not running", "down", "nc9"],
    [EXIT.UNAVAILABLE, "nc9 is not running", "reload", "nc9"],
    [EXIT.USAGE, "not a name or address", "init", "--endpoint", "a:1"],
    [EXIT.USAGE, "--port must be a number", "init", "--port", "0"],
    [EXIT.USAGE, "--port must be a number", "init", "--port", "65536"],
    [EXIT.CONFIG, "not an interface address", "init", "--address", "10.0.0.1/33"],
    [EXIT.DATA, "not a token", "join"],
    [EXIT.USAGE, "every user of this host can read arguments", "join", "nc1-abc"],
    [EXIT.NO_INPUT, "no such file", "join", "--token-file", "/none"],
    [EXIT.USAGE, 'no interface named "none0"', "join", "--links", "none0"],
    [EXIT.UNAVAILABLE, "nc9 is not running", "link", "lte", "down", "nc9"],
    [EXIT.UNAVAILABLE, "no tunnel is running", "link", "lte", "metric", "10"],
    [EXIT.USAGE, 'unknown action "off"', "link", "lte", "off"],
    [EXIT.USAGE, "metric: expected a number from 0 to 65535", "link", "lte", "metric"],
    [EXIT.USAGE, "metric: expected a number from 0 to 65535", "link", "lte", "metric", "65536"],
    [EXIT.USAGE, "unexpected argument: nc1", "link", "lte", "down", "nc0", "nc1"],
    [EXIT.USAGE, "ACTION", "link", "lte"],
  ];

  test.each(REFUSED.map(([code, complaint, ...args]) => [args.join(" "), code, complaint, args] as const))(
    "refuses: netcombiner %s",
    (_words, code, complaint, args) => {
      const result = netcombiner(...args);
      expect(result.err).toContain(complaint);
      expect({ code: result.code, out: result.out }).toEqual({ code, out: "" });
    },
  );
});
