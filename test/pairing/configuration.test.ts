import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration } from "../../src/config/configuration.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { EXIT } from "../../src/errors.ts";
import { localConfiguration, remoteConfiguration } from "../../src/pairing/configuration-text.ts";
import { assertFree, isJoined, linksFor } from "../../src/pairing/local.ts";
import { existingPairing, newPairing } from "../../src/pairing/remote.ts";
import type { Pairing } from "../../src/pairing/token.ts";
import { writeConfiguration } from "../../src/pairing/write.ts";

const random = (size: number) => new Uint8Array(size).fill(9);
const NO_WISHES = { hosts: [], port: undefined, addresses: [] };
const INTERFACES = {
  eth0: [{ address: "203.0.113.7", family: "IPv4", internal: false, cidr: "203.0.113.7/24", netmask: "", mac: "" }],
} as never;

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netcombiner-pairing-"));
  path = join(folder, "etc", "nc0.conf");
});

afterEach(() => rmSync(folder, { recursive: true }));

const made = (wishes = {}): Pairing => newPairing({ ...NO_WISHES, ...wishes }, INTERFACES, random);

function written(text: string): Configuration {
  writeConfiguration(path, text, true);
  return loadConfiguration(path);
}

describe("The remote portal's configuration", () => {
  test("is valid, and gives back what the token says", () => {
    for (const wishes of [{}, { port: 5000, hosts: ["vps.example.net"] }]) {
      const pairing = made(wishes);
      const configuration = written(remoteConfiguration("nc0", pairing));
      expect(existingPairing(path, configuration, wishes.hosts ?? [], INTERFACES)).toEqual(pairing);
      expect(configuration.links.map(({ settings }) => [settings.name, settings.role])).toEqual([["links", "listen"]]);
    }
  });

  test("cannot be made where nobody reaches the host, unless a name is given", () => {
    expect(() => newPairing(NO_WISHES, {}, random)).toThrow("--endpoint");
    expect(newPairing({ ...NO_WISHES, hosts: ["a.example"] }, {}, random).hosts).toEqual(["a.example"]);
  });

  test("is told apart from one that nobody can be paired with", () => {
    const key = `[Host]\nSharedKey = ${Buffer.from(random(32)).toString("base64")}\n`;
    const cases = [
      ["[Host]\nSecurity = none\nAddress = 10.0.0.1/24\n[Peer]\n", "has Security = none"],
      [`${key}[Peer]\n`, "has no Address"],
      [`${key}Address = 10.0.0.1/24\n[Peer]\nRemoteHost = a\n`, "not of a remote portal"],
      [`${key}Address = 10.0.0.1/24\n[Peer]\nMethod = TCP\n`, "not of a remote portal"],
    ];
    for (const [text = "", complaint] of cases) {
      expect(() => existingPairing(path, written(text), [], INTERFACES)).toThrow(complaint);
    }
  });
});

describe("The local portal's configuration", () => {
  const links = [
    { interface: "eth0", host: "203.0.113.7" },
    { interface: "wwan0", host: "2001:db8::7" },
  ];

  test("is valid, with a link for each interface and the next addresses", () => {
    const pairing = { ...made({ port: 5000 }), mtu: 1380 };
    const configuration = written(localConfiguration("nc0", pairing, links));
    expect(configuration.tunnel).toMatchObject({ sharedKey: pairing.sharedKey, mtu: 1380 });
    expect(configuration.addresses.map(({ address, prefix }) => `${address}/${prefix}`)).toEqual([
      "10.9.9.2/24",
      "fd09:909:909::2/64",
    ]);
    expect(configuration.links.map(({ settings, transport }) => [settings.name, transport])).toMatchObject([
      ["eth0", { localInterface: "eth0", remoteHost: "203.0.113.7", remotePort: 5000 }],
      ["wwan0", { localInterface: "wwan0", remoteHost: "2001:db8::7", remotePort: 5000 }],
    ]);
    expect(isJoined(configuration, pairing)).toBe(true);
    expect(isJoined(configuration, { ...pairing, sharedKey: random(32).fill(8) })).toBe(false);
    expect(isJoined(configuration, { ...pairing, addresses: [] })).toBe(false);
  });

  test("has for each interface the address that it reaches", () => {
    const hosts = ["203.0.113.7", "2001:db8::7"];
    const uplinks = [
      { interface: "a", families: [4, 6] },
      { interface: "b", families: [6] },
      { interface: "c", families: [] },
    ] as const;
    expect(linksFor(uplinks, hosts).map((link) => link.host)).toEqual(["203.0.113.7", "2001:db8::7", "203.0.113.7"]);
    expect(linksFor(uplinks, ["203.0.113.7"]).map((link) => link.interface)).toEqual(["a", "c"]);
    expect(linksFor([{ interface: "b", families: [6] }], ["vps.example"])).toHaveLength(1);
    expect(() => linksFor([{ interface: "b", families: [6] }], ["203.0.113.7"])).toThrow("b: no default route");
    expect(() => linksFor([], hosts)).toThrow("no interface has a default route");
  });

  test("does not take a network that the host has", () => {
    const address = parseEndpoint("10.9.0.1") as Endpoint;
    const taken = [{ interface: "eth1", address, prefix: 16 }];
    expect(() => assertFree(made(), taken, "nc0")).toThrow("10.9.9.1/24 is also that of eth1 (10.9.0.1/16)");
    // Its own, from before.
    assertFree(made(), taken, "eth1");
  });
});

describe("A configuration", () => {
  const text = () => remoteConfiguration("nc0", made());

  test("is for its owner alone, and replaces another only when that is asked for", () => {
    writeConfiguration(path, text(), false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const first = readFileSync(path, "utf8");
    expect(() => writeConfiguration(path, `${text()}# new\n`, false)).toThrow("--force");
    expect(readFileSync(path, "utf8")).toBe(first);
    writeConfiguration(path, `${text()}# new\n`, true);
    expect(readFileSync(path, "utf8")).toEndWith("# new\n");
    expect(readFileSync(`${path}.bak`, "utf8")).toBe(first);
    expect(statSync(`${path}.bak`).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  test("that is faulty, or that cannot be put there, is not written at all", () => {
    expect(() => writeConfiguration(path, "[Host]\n", false)).toThrow(":1: Host.PrivateKey missing");
    expect(existsSync(path)).toBe(false);
    writeFileSync(join(folder, "file"), "");
    const blocked = join(folder, "file", "nc0.conf");
    expect(() => writeConfiguration(blocked, text(), false)).toThrow(`cannot write ${blocked}`);
    try {
      writeConfiguration(blocked, text(), false);
    } catch (error) {
      expect(error).toMatchObject({ exitCode: EXIT.CANT_CREATE });
    }
  });
});
