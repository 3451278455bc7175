import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHILD_SECONDS, TEST_MILLIS } from "../support/limits.ts";

setDefaultTimeout(TEST_MILLIS);

const hasTools = ["timeout", "unshare", "ip", "nft", "sysctl"].every((tool) => Bun.which(tool) !== null);
const canRun = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/net/tun") && hasTools;

const PLANS = {
  client: "Role = remote\nClientAddress = 203.0.113.1, 2001:db8::2",
  nat: "Role = remote\nForward = tcp/443 -> 192.168.50.10\nPeerNetworks = 192.168.60.0/24",
  lan: "Role = local\nLanInterface = lan",
  clientLan: "Role = local\nLanInterface = lan\nClientAddress = 192.0.2.1",
  itself: "Role = local",
};

describe.skipIf(!canRun)("A host", () => {
  test("is as before after a crash at any command and the next run", () => {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-crashes-"));
    const files = Object.entries(PLANS).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    });
    const process_ = join(import.meta.dir, "crash-process.ts");
    const command = ["timeout", "-s", "KILL", CHILD_SECONDS, "unshare", "--net", process.execPath, process_, ...files];
    const { stdout } = Bun.spawnSync(command, { stderr: "inherit" });
    rmSync(folder, { recursive: true });
    const results = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.flatMap(({ different }) => different)).toEqual([]);
    expect(results).toHaveLength(files.length);
    for (const { commands } of results) expect(commands).toBeGreaterThan(5);
  });
});
