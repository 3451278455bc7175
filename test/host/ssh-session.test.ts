import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSshConnection, sshSession } from "../../src/host/ssh-session.ts";

const TEXT = "192.0.2.7 50000 203.0.113.1 2222";
const SESSION = { client: "192.0.2.7", clientPort: 50_000, serverPort: 2222 };

describe("The SSH session", () => {
  test("is the one of the environment", () => {
    expect(sshSession({ SSH_CONNECTION: TEXT }, "/nonexistent")).toEqual(SESSION);
    expect(sshSession({}, "/nonexistent")).toBeUndefined();
  });

  test("is found with an ancestor where sudo left it out", () => {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-proc-"));
    const add = (pid: number, parent: number, environment: string) => {
      mkdirSync(join(folder, String(pid)));
      writeFileSync(join(folder, String(pid), "stat"), `${pid} (a) b) S ${parent} 1 1 0 -1`);
      writeFileSync(join(folder, String(pid), "environ"), environment);
    };
    add(process.ppid, 70_001, "PATH=/bin\0");
    add(70_001, 70_002, "");
    add(70_002, 1, `A=b\0SSH_CONNECTION=${TEXT}\0`);
    expect(sshSession({}, folder)).toEqual(SESSION);
    rmSync(folder, { recursive: true });
  });

  test("is nothing that could not be one, for it goes into a rule", () => {
    for (const text of [undefined, "", "a", "192.0.2.7 0 203.0.113.1 22", "x;y 1 z 2", "1.2.3.4 1 5.6.7.8 70000"])
      expect(parseSshConnection(text)).toBeUndefined();
  });
});
