// The init script of OpenWrt, run by a shell with the functions that OpenWrt would give it; the configuration that it makes
// is read by the program itself.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceText } from "../../build/packages/contents.ts";
import { openwrtKeys, uciOption } from "../../build/packages/openwrt-keys.ts";
import { validateConfiguration } from "../../src/config/load.ts";
import { HOST_KEY_NAMES, PEER_KEY_NAMES } from "../../src/config/schema.ts";
import { ROOT } from "../rules/sources.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";

const TUNNEL = `config tunnel 'nc0'
	option enabled '1'
	option shared_key '${KEY}'
	list address '10.47.25.2/24'
	list address 'fd47:25::2/64'
`;
const FIBRE = `config link 'fibre'
	option tunnel 'nc0'
	option name 'fibre'
	option network 'wan'
	option remote_host '192.0.2.1'
`;
const LTE = FIBRE.replaceAll("fibre", "lte").replace("'wan'", "'wwan'");
const SECOND = TUNNEL.replace("'nc0'", "'nc1'").replaceAll("25", "26");
const SECOND_LINK = `config link 'listen'
	option tunnel 'nc1'
`;

let folder = "";
const runtime = (name: string) => join(folder, "run", name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nc-openwrt-"));
  mkdirSync(join(folder, "config"));
  // "show" finds nobody: what was ended is gone at once.
  const program = `#!/bin/sh\n[ "$1" != show ] || exit 69\nexec ${process.execPath} ${join(ROOT, "src/main.ts")} "$@"\n`;
  writeFileSync(join(folder, "netcombiner"), program, { mode: 0o755 });
  const init = sourceText("packaging/openwrt/netcombiner.init", openwrtKeys())
    .replace("PROG=/usr/bin/netcombiner", `PROG=${join(folder, "netcombiner")}`)
    .replace("FOLDER=/var/run/netcombiner", `FOLDER=${join(folder, "run")}`)
    .replace(". /lib/functions/network.sh", "");
  writeFileSync(join(folder, "init"), init);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Returns what the script asks of procd when `action` is called with this /etc/config/netcombiner. */
function act(action: string, configuration: string, devices = "wan=eth1 wwan=wwan0"): string[] {
  writeFileSync(join(folder, "config", "netcombiner"), configuration);
  const script = `set -u\n. ${join(import.meta.dir, "uci.sh")}\n. ${join(folder, "init")}\n${action}\n`;
  const env = { PATH: "/usr/bin:/bin", UCI: join(folder, "config"), DEVICES: devices };
  const result = Bun.spawnSync(["sh", "-c", script], { env, stdin: "ignore" });
  expect(result.stderr.toString()).toBe("");
  return result.stdout.toString().replaceAll(folder, "").trimEnd().split("\n");
}

const instance = (name: string) => [
  `open ${name}`,
  `set command /netcombiner run ${name} --up -c /run/${name}.conf`,
  "set respawn 3600 5 0",
  "set term_timeout 10",
  `set file /run/${name}.conf`,
  "set reload_signal HUP",
  "set stdout 1",
  "set stderr 1",
  "close",
];

describe("the init script of OpenWrt", () => {
  test("starts nothing of what the package ships", () => {
    expect(act("start", sourceText("packaging/openwrt/netcombiner.config"))).toEqual([""]);
    expect(existsSync(runtime("nc0.conf"))).toBe(false);
  });

  test("starts nothing when nothing is configured", () => {
    expect(act("start", "")).toEqual([""]);
  });

  test("starts each tunnel with a configuration of its own, for root alone", () => {
    expect(act("start", [TUNNEL, FIBRE, LTE, SECOND, SECOND_LINK].join("\n"))).toEqual([
      ...instance("nc0"),
      ...instance("nc1"),
    ]);
    expect(readFileSync(runtime("nc0.conf"), "utf8")).toBe(`# Made from /etc/config/netcombiner.
[Host]
SharedKey = ${KEY}
Address = 10.47.25.2/24
Address = fd47:25::2/64

[Peer]
Name = fibre
RemoteHost = 192.0.2.1
LocalInterface = eth1

[Peer]
Name = lte
RemoteHost = 192.0.2.1
LocalInterface = wwan0
`);
    expect(statSync(runtime("nc0.conf")).mode & 0o7777).toBe(0o600);
    expect(readFileSync(runtime("nc1.conf"), "utf8")).toEndWith("\n\n[Peer]\n");
  });

  test("keeps a link waiting whose network is down", () => {
    expect(act("start", TUNNEL + FIBRE + LTE, "wwan=wwan0")).toEqual(instance("nc0"));
    const text = readFileSync(runtime("nc0.conf"), "utf8");
    expect(text).toContain("LocalInterface = down-wan\n");
    const { configuration } = validateConfiguration({ text, mode: 0o600 }, "nc0.conf", () => ({ problem: "none" }));
    expect(configuration?.links.map(({ transport }) => transport.localInterface)).toEqual(["down-wan", "wwan0"]);
  });

  test("tells what is wrong, and starts the others", () => {
    const lines = act("start", `${TUNNEL}	option mtu '9'\n${FIBRE}${SECOND}${SECOND_LINK}`);
    expect(lines[0]).toStartWith("logger -s -t netcombiner -p daemon.err nc0: configuration not applied: ");
    expect(lines[0]).toContain("Host.MTU invalid");
    expect(lines.slice(1)).toEqual(instance("nc1"));
    expect(existsSync(runtime("nc0.conf"))).toBe(false);
  });

  test("leaves what runs alone when links change or the new file is wrong", () => {
    act("start", TUNNEL + FIBRE);
    expect(act("reload", TUNNEL + FIBRE + LTE)).toEqual(instance("nc0"));
    expect(readFileSync(runtime("nc0.conf"), "utf8")).toContain("Name = lte");
    const lines = act("reload", `${TUNNEL}${FIBRE}	option metric 'high'\n`);
    expect(lines[0]).toContain("nc0: configuration not applied");
    expect(lines.slice(1)).toEqual(instance("nc0"));
    expect(readFileSync(runtime("nc0.conf"), "utf8")).toContain("Name = lte");
    expect(existsSync(runtime("nc0.conf.new"))).toBe(false);
  });

  test("ends a tunnel first whose [Host] changed", () => {
    act("start", TUNNEL + FIBRE);
    expect(act("reload", `${TUNNEL}	option log_level 'debug'\n${FIBRE}`)).toEqual([
      "kill netcombiner nc0",
      ...instance("nc0"),
    ]);
  });

  test("forgets a tunnel that is disabled", () => {
    act("start", TUNNEL + FIBRE);
    expect(act("reload", TUNNEL.replace("'1'", "'0'") + FIBRE)).toEqual([""]);
    expect(existsSync(runtime("nc0.conf"))).toBe(false);
  });

  test("runs a tunnel from a file of the user's own, and makes none", () => {
    const own = join(folder, "own.conf");
    writeFileSync(own, `[Host]\nSharedKey = ${KEY}\n[Peer]\n`, { mode: 0o600 });
    const configuration = `config tunnel 'nc0'\n	option enabled '1'\n	option file '${own}'\n`;
    const expected = instance("nc0").map((line) => line.replace("/run/nc0.conf", "/own.conf"));
    expect(act("start", configuration)).toEqual(expected);
    expect(act("reload", configuration)).toEqual(expected);
    expect(act("check", configuration)).toEqual(["/own.conf: valid, 1 link"]);
    expect(existsSync(runtime("nc0.conf"))).toBe(false);
  });

  test("wants to know of the configuration and of every network", () => {
    expect(act("service_triggers", TUNNEL + FIBRE + LTE + SECOND + SECOND_LINK)).toEqual([
      "trigger reload netcombiner",
      "trigger interface interface.* wan /etc/init.d/netcombiner reload",
      "trigger interface interface.* wwan /etc/init.d/netcombiner reload",
    ]);
  });

  test("checks without touching what runs", () => {
    expect(act("check", TUNNEL + FIBRE)).toEqual(["nc0: valid, 1 link"]);
    expect(existsSync(runtime("nc0.conf"))).toBe(false);
  });
});

describe("openwrtKeys", () => {
  test("names every key of the configuration, each option once", () => {
    expect(uciOption("SharedKeyFile")).toBe("shared_key_file");
    expect(uciOption("MTU")).toBe("mtu");
    const { HOST_KEYS, PEER_KEYS } = openwrtKeys();
    for (const [text, keys] of [
      [HOST_KEYS, HOST_KEY_NAMES],
      [PEER_KEYS, PEER_KEY_NAMES],
    ] as const) {
      const pairs = text.split(" ").map((pair) => pair.split(":"));
      expect(pairs.map(([, key]) => key!)).toEqual([...keys]);
      expect(new Set(pairs.map(([option]) => option)).size).toBe(keys.length);
      // Options of the script's own.
      expect(pairs.filter(([option]) => ["enabled", "tunnel", "network"].includes(option!))).toEqual([]);
    }
  });
});
