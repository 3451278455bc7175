import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parseIni } from "../../src/config/ini.ts";
import { EXIT } from "../../src/errors.ts";
import { FakeTunnel } from "../support/fake-tunnel.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const CONFIGURATION = `[Host]
SharedKey = ${KEY}
Address = 10.47.25.2/24, fd47:25::2/64
MTU = 1380
Metrics = 192.0.2.77:9820
PostUp = curl https://user:password@hook.example/
[Peer]
Name = fibre
RemoteHost = portal.example.net
LocalHost = 198.51.100.20
LocalInterface = eth0
[Peer]
Name = six
RemoteHost = 2001:db8:25::9
PublicAddress = 203.0.113.44
`;
/** Everything of it that nobody else should see. */
const SECRETS = [
  KEY,
  ...[
    "10.47.25.2",
    "fd47:25::2",
    "192.0.2.77",
    "portal.example.net",
    "198.51.100.20",
    "2001:db8:25::9",
    "203.0.113.44",
  ],
  ...["password", "hook.example"],
];

describe("netcombiner bugreport", () => {
  test("has every part, and no key, address or name of a host", async () => {
    const lines = [
      `2026-11-24T00:00:00Z info: fibre: to portal.example.net (203.0.113.44) with ${KEY} of ${hostname()}`,
    ];
    await using tunnel = await FakeTunnel.open({ log: () => ({ ok: true, lines }) });
    const file = join(tunnel.folder, "nc0.conf");
    writeFileSync(file, CONFIGURATION, { mode: 0o600 });
    const { code, out, err } = await tunnel.run("bugreport", "nc0", "-c", file);
    expect({ code, err }).toEqual({ code: EXIT.OK, err: "" });
    const headings = [...out.matchAll(/^== (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "Version",
      "System",
      "Configuration",
      "Configuration check",
      "Show",
      "Counters",
      "Log",
      "Network",
    ]);
    expect(SECRETS.filter((secret) => out.includes(secret))).toEqual([]);
    // The sample report's own, and this machine's.
    expect(out).not.toContain("203.0.113.7");
    expect(out).not.toMatch(/\b(?!127\.|0\.0\.|255\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/);
    expect(out).toContain("MTU = 1380");
    expect(out).toContain("SharedKey = (hidden)");
    expect(out).toContain("PostUp = (hidden)");
    expect(out).toContain("RemoteHost = (host-");
    expect(out).toContain("LocalHost = (ipv4-");
    expect(out).toContain("LocalInterface = eth0");
    expect(out).toMatch(/fibre: to \(host-\d+\) \(\(ipv4-\d+ public\)\) with \(key\) of \(host-\d+\)/);
    expect(out).toContain("valid, 2 links");
    expect(out).toContain("# Health check:");
    expect(out).toContain('netcombiner_path_up{interface="nc0"');
  });

  test("says what it could not get, and gives the rest", async () => {
    await using tunnel = await FakeTunnel.open();
    const file = join(tunnel.folder, "bad.conf");
    writeFileSync(file, "[Host]\nSharedKey = x\nAddress = 203.0.113.44\n", { mode: 0o600 });
    const { code, out } = await tunnel.run("bugreport", "nc9", "-c", file);
    expect(code).toBe(EXIT.OK);
    expect(out).toContain("(not available: nc9 is not running)");
    expect(out).toContain("Address invalid: expected an address with prefix length");
    expect(out).not.toContain("203.0.113.44");
  });

  test("writes a new file for its owner alone", async () => {
    await using tunnel = await FakeTunnel.open();
    const file = join(tunnel.folder, "report.txt");
    expect(await tunnel.run("bugreport", "-o", file)).toEqual({ code: EXIT.OK, out: "", err: "" });
    expect(readFileSync(file, "utf8")).toStartWith("Bug report of nc0, ");
    expect(readFileSync(file, "utf8")).toContain("== Configuration\n(not available: ENOENT");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await tunnel.run("bugreport", "-o", file)).code).toBe(EXIT.CANT_CREATE);
  });

  test("takes - for standard output", async () => {
    await using tunnel = await FakeTunnel.open();
    const { code, out } = await tunnel.run("bugreport", "-o", "-");
    expect(code).toBe(EXIT.OK);
    expect(out).toStartWith("Bug report of nc0, ");
    expect(existsSync(join(tunnel.folder, "-"))).toBe(false);
  });

  test("would show a key of the configuration only if it is known to be harmless", async () => {
    const shown = [
      ...(await Bun.file(join(import.meta.dir, "../../src/config/privacy.ts")).text()).matchAll(/"(\w+)"/g),
    ];
    const names = shown.map(([, name]) => name as string);
    expect(names.filter((name) => /key|file|hook|^(pre|post)/i.test(name))).toEqual([]);
    expect(parseIni(CONFIGURATION).faults).toEqual([]);
  });
});
