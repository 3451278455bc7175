import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration } from "../../src/config/configuration.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { type Endpoint, formatAddress, parseEndpoint } from "../../src/endpoint.ts";
import { EXIT } from "../../src/errors.ts";
import { localConfiguration, remoteConfiguration } from "../../src/pairing/configuration-text.ts";
import { assertFree, isJoined, linksFor } from "../../src/pairing/local.ts";
import { drawTunnelAddresses } from "../../src/pairing/networks.ts";
import { existingPairing, type NewPairing, newPairing, newPrivateKey } from "../../src/pairing/remote.ts";
import { encodeToken } from "../../src/pairing/token.ts";
import {
  keepToken,
  readToken,
  removeToken,
  setPeerKey,
  tokenPath,
  writeConfiguration,
} from "../../src/pairing/write.ts";
import { KeyPair } from "../../src/security/x25519.ts";

/** Each draw is of another number. */
let draws = 0;
const random = (size: number) => new Uint8Array(size).fill(++draws);
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

const SOURCES = { random, now: Date.UTC(2026, 10, 29) };
const made = (wishes = {}): NewPairing => newPairing({ ...NO_WISHES, ...wishes }, INTERFACES, SOURCES);

function written(text: string): Configuration {
  writeConfiguration(path, text, true);
  return loadConfiguration(path);
}

describe("The remote portal's configuration", () => {
  test("is valid, and gives back what the token says", () => {
    for (const wishes of [{}, { port: 5000, hosts: ["vps.example.net"] }]) {
      const pair = made(wishes);
      const configuration = written(remoteConfiguration("nc0", pair));
      keepToken(path, encodeToken(pair.pairing));
      expect(existingPairing(path, configuration, wishes.hosts ?? [], INTERFACES, SOURCES)).toEqual(pair.pairing);
      expect(configuration.tunnel.privateKey).toEqual(pair.privateKey);
      expect(configuration).toMatchObject({ awaitsPeer: true, tunnel: { security: "auto" } });
      expect(encodeToken(pair.pairing)).not.toContain(Buffer.from(pair.privateKey).toString("base64url").slice(0, 40));
      expect(configuration.system.role).toBe("remote");
      expect(configuration.links.map(({ settings }) => [settings.name, settings.role])).toEqual([["links", "listen"]]);
    }
  });

  test("cannot be made where nobody reaches the host, unless a name is given", () => {
    expect(() => newPairing(NO_WISHES, {}, SOURCES)).toThrow("--endpoint");
    expect(newPairing({ ...NO_WISHES, hosts: ["a.example"] }, {}, SOURCES).pairing.hosts).toEqual(["a.example"]);
  });

  test("follows what was changed in it since, when its token is shown again", () => {
    const pair = made();
    const text = remoteConfiguration("nc0", pair).replace("#LocalPort = 4725", "LocalPort = 5001");
    const shared = Buffer.from(random(32)).toString("base64");
    const configuration = written(text.replace("PrivateKey =", `SharedKey = ${shared}\nMTU = 1390\nPrivateKey =`));
    keepToken(path, encodeToken(pair.pairing));
    expect(existingPairing(path, configuration, ["vps.example"], INTERFACES, SOURCES)).toEqual({
      ...pair.pairing,
      port: 5001,
      mtu: 1390,
      hosts: ["vps.example"],
    });
  });

  test("gets a new secret when its token is expired, revoked or of other keys", () => {
    const pair = made();
    const configuration = written(remoteConfiguration("nc0", pair));
    const again = (now = SOURCES.now) => existingPairing(path, configuration, [], INTERFACES, { random, now }).secret;
    const { secret } = pair.pairing;
    expect(again()).not.toEqual(secret);
    keepToken(path, encodeToken(pair.pairing));
    expect(again()).toEqual(secret);
    expect(again(SOURCES.now + 25 * 3_600_000)).not.toEqual(secret);
    keepToken(path, encodeToken(made().pairing));
    expect(again()).not.toEqual(secret);
    removeToken(path);
    expect(again()).not.toEqual(secret);
  });

  test("is told apart from one that nobody can be paired with", () => {
    const good = remoteConfiguration("nc0", made());
    const peerKey = new KeyPair(random(32)).publicKey.toBase64();
    const cases: [string, string][] = [
      ["[Host]\nSecurity = none\nAddress = 10.0.0.1/24\n[Peer]\n", "has no key pairs"],
      [good.replaceAll(/^(Address|Role) =.*$/gm, ""), "has no Address"],
      [`${good}RemoteHost = a.example\n`.replace("[Peer]", "[Peer]\nMethod = TCP"), "not of a remote portal"],
      [good.replace("= join", `= ${peerKey}`), "change its PublicKey to join"],
    ];
    for (const [text, complaint] of cases) {
      expect(() => existingPairing(path, written(text), [], INTERFACES, SOURCES)).toThrow(complaint);
    }
  });
});

describe("The local portal's configuration", () => {
  const links = [
    { interface: "eth0", host: "203.0.113.7" },
    { interface: "wwan0", host: "2001:db8::7" },
  ];

  test("is valid, with a link for each interface and the next addresses", () => {
    draws = 8;
    const addresses = drawTunnelAddresses([], random);
    const pair = made({ port: 5000, addresses });
    const pairing = { ...pair.pairing, mtu: 1380 };
    const keys = { privateKey: newPrivateKey(random), sharedKey: random(32) };
    const configuration = written(localConfiguration("nc0", pairing, keys, links, ["lan0"]));
    const { privateKey, sharedKey } = keys;
    const { publicKey: peerKey } = pairing;
    expect(configuration.tunnel).toMatchObject({ privateKey, peerKey, sharedKey, mtu: 1380 });
    expect(configuration.system).toMatchObject({ role: "local", lanInterfaces: ["lan0"] });
    expect(configuration.addresses.map(({ address, prefix }) => `${address}/${prefix}`)).toEqual([
      "10.9.9.2/24",
      "fd0a:a0a:a0a::2/64",
    ]);
    expect(configuration.links.map(({ settings, transport }) => [settings.name, transport])).toMatchObject([
      ["eth0", { localInterface: "eth0", remoteHost: "203.0.113.7", remotePort: 5000 }],
      ["wwan0", { localInterface: "wwan0", remoteHost: "2001:db8::7", remotePort: 5000 }],
    ]);
    expect(isJoined(configuration, pairing)).toBe(true);
    expect(isJoined(configuration, { ...pairing, publicKey: random(32) })).toBe(false);
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
    draws = 8;
    const pairing = { ...made().pairing, addresses: drawTunnelAddresses([], random) };
    const [drawn] = pairing.addresses;
    if (!drawn) throw new Error("no address");
    const text = formatAddress(drawn.address);
    const address = parseEndpoint(text.replace(/\d+\.\d+$/, "0.1")) as Endpoint;
    const taken = [{ interface: "eth1", address, prefix: 16 }];
    expect(() => assertFree(pairing, taken, "nc0")).toThrow(`${text}/24 overlaps that of eth1 (`);
    // Its own, from before.
    assertFree(pairing, taken, "eth1");
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

  test("has its token beside it, for the owner alone", () => {
    expect(readToken(path)).toBeUndefined();
    keepToken(path, "nc1-abc");
    expect(tokenPath(path)).toBe(join(folder, "etc", "nc0.token"));
    expect(statSync(tokenPath(path)).mode & 0o777).toBe(0o600);
    keepToken(path, "nc1-def");
    expect(readToken(path)).toBe("nc1-def\n");
    expect(existsSync(`${tokenPath(path)}.bak`)).toBe(false);
  });

  test("takes a peer's key in the place of join alone", () => {
    const key = new KeyPair(random(32)).publicKey.toBase64();
    writeConfiguration(path, text(), false);
    setPeerKey(path, key);
    expect(readFileSync(path, "utf8")).toContain(`\nPublicKey = ${key}\n`);
    expect(() => setPeerKey(path, key)).toThrow('does not say "PublicKey = join"');
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
