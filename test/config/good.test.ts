import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration } from "../../src/config/configuration.ts";
import { loadConfiguration, validateConfiguration } from "../../src/config/load.ts";
import { formatAddress } from "../../src/endpoint.ts";
import { EXIT, NetcombinerError } from "../../src/errors.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const EXAMPLE = join(import.meta.dir, "../../packaging/netcombiner.conf.example");

function read(text: string): Configuration {
  const result = validateConfiguration({ text, mode: 0o600 }, "nc0.conf", () => ({ problem: "no such file" }));
  expect(result.faults).toEqual([]);
  return result.configuration as Configuration;
}

function links(text: string) {
  return read(`[Host]\nSharedKey = ${KEY}\n${text}`).links;
}

describe("A configuration", () => {
  test("needs no more than a key and a section", () => {
    const configuration = read(`[Host]\nSharedKey = ${KEY}\n[Peer]\n`);
    expect(configuration.tunnel).toMatchObject({ security: "auto", mtu: 1400 });
    expect(new TextDecoder().decode(configuration.tunnel.sharedKey)).toBe("This is no secret, replace me !\0");
    expect(configuration).toMatchObject({ addresses: [], logLevel: "info" });
    expect(configuration.links).toEqual([
      {
        isNamed: false,
        settings: {
          id: 0,
          name: "udp0",
          method: "UDP",
          role: "listen",
          metric: undefined,
          congestion: "rate",
          keepAlive: 10_000_000,
          timeout: 25_000_000,
          retryWait: 1_000_000,
          mtu: 0,
          limits: { isMetered: false, out: Number.POSITIVE_INFINITY, in: Number.POSITIVE_INFINITY },
          publicAddress: undefined,
        },
        transport: {
          localHost: undefined,
          localInterface: undefined,
          localPort: 4725,
          remoteHost: undefined,
          remotePort: 0,
          protocol: 253,
        },
      },
    ]);
  });

  test("reads what a link may carry, in bits with their unit", () => {
    const settings = links(
      "[Peer]\nMetered = Yes\nLimitOut = 5Mbit\nLimitIn = 1.5 gbit/s\n[Peer]\nLocalPort = 9\nMetered = off\nLimitOut = 640000bit\n",
    ).map((link) => link.settings.limits);
    expect(settings).toEqual([
      { isMetered: true, out: 625_000, in: 187_500_000 },
      { isMetered: false, out: 80_000, in: Number.POSITIVE_INFINITY },
    ]);
  });

  test("serves metrics nowhere unless told where", () => {
    const metrics = (line: string) => read(`[Host]\nSharedKey = ${KEY}\n${line}\n[Peer]\n`).metrics;
    expect(metrics("")).toBeUndefined();
    expect(metrics("Metrics = 127.0.0.1:9820")).toEqual({ host: "127.0.0.1", port: 9820 });
    expect(metrics("Metrics = [fd47::1]:1")).toEqual({ host: "fd47::1", port: 1 });
  });

  test("initiates where a remote host is given", () => {
    const [link] = links("[Peer]\nRemoteHost = portal.example.net\n");
    expect(link?.settings).toMatchObject({ role: "initiate", metric: 0 });
    expect(link?.transport).toMatchObject({ remoteHost: "portal.example.net", remotePort: 4725, localPort: 0 });
  });

  test("has no congestion control on TCP and no ports on IP by default", () => {
    const [tcp, ip] = links("[Peer]\nMethod = tcp\nRemoteHost = a\n[Peer]\nMethod = ip\nRemoteHost = a\n");
    expect(tcp?.settings).toMatchObject({ name: "tcp0", method: "TCP", congestion: "none" });
    expect(ip?.settings).toMatchObject({ name: "ip1", method: "IP", congestion: "rate" });
    expect(ip?.transport).toMatchObject({ localPort: 0, remotePort: 0, protocol: 253 });
  });

  test("makes up names that nobody chose", () => {
    const names = links("[Peer]\nRemoteHost = a\n[Peer]\nRemoteHost = b\nName = udp0\n").map(
      (link) => link.settings.name,
    );
    expect(names).toEqual(["udp1", "udp0"]);
  });

  test("takes times with and without unit, and lets the other of timeout and keepalive follow", () => {
    const [a, b, c] = links(
      `[Peer]\nRemoteHost = a\nKeepAlive = 500ms\nTimeout = 1.5\nRetryWait = 2 s\n[Peer]\nRemoteHost = a\nTimeout = 2s
[Peer]\nRemoteHost = a\nKeepAlive = 60\n`,
    );
    expect(a?.settings).toMatchObject({ keepAlive: 500_000, timeout: 1_500_000, retryWait: 2_000_000 });
    expect(b?.settings).toMatchObject({ keepAlive: 800_000, timeout: 2_000_000 });
    expect(c?.settings).toMatchObject({ keepAlive: 60_000_000, timeout: 150_000_000 });
  });

  test("takes addresses as a list and in several lines", () => {
    const { addresses } = read(
      `[Host]\nSharedKey=${KEY}\nAddress = 10.0.0.1/24,fd00::1/64 # both\naddress=10.1.0.1/32\nMTU = 1280\n[Peer]\n`,
    );
    expect(addresses).toEqual([
      { family: 4, address: "10.0.0.1", prefix: 24 },
      { family: 6, address: "fd00::1", prefix: 64 },
      { family: 4, address: "10.1.0.1", prefix: 32 },
    ]);
  });

  test("does not care for case, blanks, comments, CRLF or a byte order mark", () => {
    const text = `\uFEFF; first\r\n[ host ]\r\n\tsharedkey=${KEY}\t; the key\r\n\r\n# links\r\n[PEER]\r\nLOCALINTERFACE = eth0 #1\r\n`;
    expect(read(text).links[0]?.transport.localInterface).toBe("eth0");
  });

  test("needs no key with security none, and does not open its file", () => {
    expect(read("[Host]\nSecurity = None\nSharedKeyFile = nowhere\n[Peer]\n").tunnel.security).toBe("none");
  });

  test("allows one port to several links that do not meet on it", () => {
    const texts = [
      "[Peer]\nLocalInterface = eth0\n[Peer]\nLocalInterface = eth1\n",
      "[Peer]\nLocalHost = 192.0.2.1\n[Peer]\nLocalHost = 192.0.2.2\n",
      "[Peer]\nMethod = TCP\n[Peer]\nMethod = UDP\n",
      "[Peer]\nLocalPort = 1\n[Peer]\nLocalPort = 2\n",
      "[Peer]\nRemoteHost = a\nMethod = IP\n[Peer]\nRemoteHost = b\nMethod = IP\n[Peer]\nMethod = IP\n",
    ];
    for (const text of texts) expect(links(text).length).toBeGreaterThan(1);
  });

  test("takes every form of a host", () => {
    const hosts = [
      "localhost",
      "a.b-c.example.",
      "192.0.2.1",
      "2001:db8::1",
      "::ffff:192.0.2.1",
      "fe80::1%eth0",
      "xn--bcher-kva.example",
      "3com.example",
    ];
    for (const host of hosts) expect(links(`[Peer]\nRemoteHost = ${host}\n`)[0]?.transport.remoteHost).toBe(host);
  });

  test("carries a public address as an endpoint", () => {
    const publicAddress = links("[Peer]\nPublicAddress = 2001:DB8::7\n")[0]?.settings.publicAddress;
    expect(publicAddress && formatAddress(publicAddress)).toBe("2001:db8::7");
  });
});

describe("A configuration file", () => {
  function inFolder(body: (folder: string) => void): void {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-config-"));
    try {
      body(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  function write(path: string, text: string, mode = 0o600): string {
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  function exitCodeOf(path: string): number | undefined {
    try {
      loadConfiguration(path);
    } catch (error) {
      return error instanceof NetcombinerError ? error.exitCode : undefined;
    }
    return EXIT.OK;
  }

  test("is the example that comes with the program", async () => {
    const text = await Bun.file(EXAMPLE).text();
    inFolder((folder) => {
      const { links, addresses } = loadConfiguration(write(join(folder, "nc0.conf"), text));
      expect(links.map((link) => [link.settings.name, link.settings.method, link.settings.metric])).toEqual([
        ["fibre", "UDP", 0],
        ["cable", "UDP", 0],
        ["lte", "TCP", 10],
      ]);
      expect(addresses.map((a) => `${a.address}/${a.prefix}`)).toEqual(["10.47.25.2/24", "fd47:25::2/64"]);
    });
  });

  test("means the same when the example's commented defaults are spelt out", async () => {
    const text = await Bun.file(EXAMPLE).text();
    const isDefault =
      /^#(Security|MTU|LogLevel|Method|RemotePort|LocalPort|Metric|Congestion|KeepAlive|Timeout|RetryWait|Metered|Table) = /;
    const spelt = text.split("\n").map((line) => (isDefault.test(line) ? line.slice(1) : line));
    expect(spelt.filter((line, i) => line !== text.split("\n")[i]).length).toBeGreaterThanOrEqual(13);
    // The commented section at the end is no list of defaults.
    const end = spelt.indexOf("#[Peer]");
    expect(read(spelt.slice(0, end).join("\n"))).toEqual(read(text));
  });

  test("shows keys for up in the example that are good at one end or the other", async () => {
    const shown = (await Bun.file(EXAMPLE).text()).split("\n").filter((line) => /^#[A-Z]\w+ = /.test(line));
    const pick = (...keys: string[]) =>
      shown.filter((line) => keys.some((key) => line.startsWith(`#${key} = `))).map((line) => line.slice(1));
    const hooks = pick("PreUp", "PostUp", "PreDown", "PostDown", "FwMark", "Table", "PeerNetworks");
    const host = (lines: string[]) => [`[Host]`, `SharedKey = ${KEY}`, "Address = 10.47.25.2/24", ...lines, "[Peer]"];
    const local = read(host([...hooks, ...pick("Role", "LanInterface", "Masquerade")]).join("\n"));
    expect(local.system).toEqual(read(host([...hooks, "Role = local", "LanInterface = lan0"]).join("\n")).system);
    const client = ["Role = remote", ...pick("ClientAddress", "KeepPorts")];
    expect(read(host(client).join("\n")).system.clientAddresses).toHaveLength(2);
    expect(read(host(["Role = remote", ...pick("Forward")]).join("\n")).system.forwards).toHaveLength(2);
  });

  test("finds its key file beside itself, from wherever it is read", () => {
    inFolder((folder) => {
      write(join(folder, "nc0.key"), `${KEY}\n`);
      const path = write(join(folder, "nc0.conf"), "[Host]\nSharedKeyFile = nc0.key\n[Peer]\n", 0o644);
      expect(loadConfiguration(path).tunnel.sharedKey?.length).toBe(32);
    });
  });

  test("is refused with the exit code of its trouble", () => {
    inFolder((folder) => {
      expect(exitCodeOf(join(folder, "none"))).toBe(EXIT.NO_INPUT);
      expect(exitCodeOf(folder)).toBe(EXIT.NO_INPUT);
      expect(exitCodeOf(write(join(folder, "bad"), "[Host]\n"))).toBe(EXIT.CONFIG);
      expect(exitCodeOf(write(join(folder, "open"), `[Host]\nSharedKey=${KEY}\n[Peer]\n`, 0o640))).toBe(EXIT.CONFIG);
      symlinkSync("loop", join(folder, "loop"));
      expect(exitCodeOf(join(folder, "loop"))).toBe(EXIT.NO_INPUT);
      expect(exitCodeOf(write(join(folder, "large"), "#".repeat((1 << 20) + 1)))).toBe(EXIT.NO_INPUT);
    });
  });
});
