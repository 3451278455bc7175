// Pairing as a person does it: `init` on the remote portal, its token into `join` on the local one, and both links carry.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderSpeeds } from "../../src/cli/speed-table.ts";
import { formatAddress } from "../../src/endpoint.ts";
import { decodeToken, encodeToken } from "../../src/pairing/token.ts";
import { tokenPath } from "../../src/pairing/write.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { PLAN } from "./addresses.ts";
import { atLeast, atMost, canUseLab, LAB_TIMEOUT_MILLIS, line, measured } from "./lab.ts";
import { run, temporaryFolder } from "./namespaces.ts";
import { programCommand } from "./portals.ts";
import { Topology } from "./topology.ts";

/** Rate of each link on the wire, headers included: no test of speed can find more. */
const LINK_MBITS = 16;
/** Share of it that three seconds find at the least: headers take a tenth, the beginning of a flow another quarter. */
const LEAST_SHARE = 0.6;
/** Twice the links' delay of 5 ms, which no round trip can undercut. */
const ROUND_TRIP_MICROS = 10_000;

type Place = "local" | "remote";

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!canUseLab)("Pairing between two namespaces with two links", () => {
  setDefaultTimeout(LAB_TIMEOUT_MILLIS);
  const folder = temporaryFolder();
  let topology: Topology;
  let token = "";
  const file = (place: Place) => join(folder, `${place}.conf`);

  beforeAll(async () => {
    topology = await Topology.create({ links: [line(LINK_MBITS * 1e6), line(LINK_MBITS * 1e6)] });
    // The second link is behind a NAT, as most are.
    const rules = `table ip nat { chain out { type nat hook postrouting priority srcnat;
      ip saddr 10.77.1.0/24 oifname rem masquerade; }; }`;
    run(topology.command("inet", ["nft", "-f", "-"]), rules);
  }, LAB_TIMEOUT_MILLIS);

  afterAll(async () => {
    for (const place of ["local", "remote"] as const) await netcombiner(place, ["down", "nc0"]);
    await topology.remove();
    rmSync(folder, { recursive: true, force: true });
  }, LAB_TIMEOUT_MILLIS);

  /** Runs the program at a place, away from the host's own D-Bus, through which a firewall of the host could be reached. */
  async function netcombiner(place: Place, words: readonly string[], input = ""): Promise<Result> {
    const apart = ["sh", "-c", 'mount -t tmpfs none /run/dbus 2>/dev/null; exec "$@"', "sh"];
    const child = Bun.spawn(topology.command(place, [...apart, ...programCommand(), ...words]), {
      env: { PATH: process.env.PATH ?? "", NETCOMBINER_RUN_DIR: join(folder, place) },
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  /** A token of a remote portal that does not exist. */
  function otherToken(): string {
    return encodeToken({ ...decodeToken(token), publicKey: new KeyPair(new Uint8Array(32).fill(7)).publicKey });
  }

  const keyLine = (text: string) => /^PrivateKey = .*$/m.exec(text)?.[0] ?? "none";

  async function isReached(place: Place, address: string): Promise<boolean> {
    const command = topology.command(place, ["ping", "-c", "1", "-W", "10", address]);
    return (await Bun.spawn(command, { stdout: "ignore" }).exited) === 0;
  }

  test("init writes, starts and prints the token alone", async () => {
    const { code, out, err } = await netcombiner("remote", ["init", "-c", file("remote")]);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`wrote ${file("remote")}`) });
    expect(err).toContain("+ netcombiner up nc0");
    expect(err).toContain("open UDP port 4725 there as well");
    token = out.trim();
    expect(out).toBe(`${token}\n`);
    expect(decodeToken(token).hosts).toEqual([PLAN[4].remote]);
    expect(statSync(file("remote")).mode & 0o777).toBe(0o600);
    expect(err).not.toContain(token);
    // The remote portal waits, and has no key of the local one.
    expect(readFileSync(file("remote"), "utf8")).toContain("\nPublicKey = join\n");
    expect(await netcombiner("remote", ["show", "nc0"])).toMatchObject({
      err: expect.stringContaining("waiting for the local portal"),
    });
  });

  test("init once more changes nothing and prints the same token", async () => {
    const before = readFileSync(file("remote"), "utf8");
    const again = await netcombiner("remote", ["init", "-c", file("remote")]);
    expect(again).toMatchObject({ code: 0, out: `${token}\n` });
    expect(again.err).toContain("nc0 is already running");
    expect(readFileSync(file("remote"), "utf8")).toBe(before);
  });

  test("join takes the token from standard input, makes a link of each interface and finds both up", async () => {
    const { code, out, err } = await netcombiner("local", ["join", "-c", file("local")], `${token}\n`);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("links wan0, wan1");
    expect(out).toMatch(/^wan0 {2}up {4}\d+\.\d ms {2}10\.77\.0\.2 -> 198\.18\.0\.2:4725$/m);
    expect(out).toMatch(/^wan1 {2}up {4}\d+\.\d ms {2}10\.77\.1\.2 -> 198\.18\.0\.2:4725$/m);
    expect(out).not.toContain(token);
    const ownKey = /PublicKey = (\S+)/.exec(out)?.[1] ?? "none";
    expect(readFileSync(file("remote"), "utf8")).toContain(`\nPublicKey = ${ownKey}\n`);
    expect(existsSync(tokenPath(file("remote")))).toBe(false);
    const [four, six] = decodeToken(token).addresses;
    for (const entry of [four, six]) {
      if (!entry) throw new Error("no address");
      expect(await isReached("local", formatAddress(entry.address))).toBe(true);
    }
    // What `up` sets up: this host's own traffic goes through the tunnel, and on from the remote portal.
    expect(run(topology.command("local", ["ip", "route", "get", PLAN[4].server]))).toContain("dev nc0");
    expect(await isReached("local", PLAN[4].server)).toBe(true);
  });

  test("ping tells round trips by each link and by the tunnel, from both ends", async () => {
    const local = await netcombiner("local", ["ping", "-c", "2"]);
    expect(local).toMatchObject({ code: 0, err: "" });
    for (const way of ["wan0", "wan1", "tunnel"]) {
      expect(local.out.match(new RegExp(`^${way}: \\d+\\.\\d ms \\(.+\\)$`, "gm"))).toHaveLength(2);
      expect(local.out).toMatch(new RegExp(`^${way}: 2 of 2 answered, rtt min \\d+\\.\\d ms, mean `, "m"));
    }
    const remote = await netcombiner("remote", ["ping", "-c", "1", "--json"]);
    const lines = remote.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ path }) => path).sort()).toEqual(["links/wan0", "links/wan1", "tunnel"]);
    for (const { rtt } of lines) expect(rtt).toBeGreaterThanOrEqual(ROUND_TRIP_MICROS);
    expect(await netcombiner("local", ["ping", "--link", "none"])).toMatchObject({
      code: 64,
      err: expect.stringContaining("no link none; there are wan0, wan1"),
    });
  });

  test("ping says which link is down and why", async () => {
    expect(await netcombiner("local", ["link", "wan1", "down"])).toMatchObject({ code: 0, out: "", err: "" });
    const all = await netcombiner("local", ["ping", "-c", "1"]);
    expect(all).toMatchObject({ code: 0, out: expect.stringContaining("wan1: taken down by hand\n") });
    expect(await netcombiner("local", ["ping", "-c", "1", "--link", "wan1"])).toMatchObject({ code: 69 });
    expect((await netcombiner("local", ["show"])).out).toContain("changed by hand: down");
    expect(await netcombiner("local", ["link", "wan1", "up"])).toMatchObject({ code: 0 });
    for (let tries = 0; tries < 20; tries++) {
      if ((await netcombiner("local", ["ping", "-c", "1", "--link", "wan1"])).code === 0) return;
    }
    throw new Error("wan1 does not come back");
  });

  test("netcheck finds both links good, and the NAT in front of one, without disturbing what runs", async () => {
    const { pid } = JSON.parse((await netcombiner("local", ["show", "nc0", "--json"])).out);
    for (const words of [["nc0"], [file("local")], []]) {
      const { code, out, err } = await netcombiner("local", ["netcheck", ...words, "--json"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      const [first, second] = JSON.parse(out);
      expect(first).toMatchObject({ name: "wan0", isGood: true, buffers: [{ isGranted: true }] });
      expect(first.route).toEqual({ isRight: true, text: "leaves by wan0 with 10.77.0.2" });
      expect(first.paths).toMatchObject([{ nat: "none", mtu: 1472, isMtuFound: true }]);
      expect(second.paths).toMatchObject([{ nat: "translated", local: "10.77.1.2", isMtuFound: true }]);
      expect(second.paths[0].seen).toStartWith("198.18.0.1:");
    }
    const remote = await netcombiner("remote", ["netcheck", "nc0"]);
    expect(remote).toMatchObject({ code: 0, out: expect.stringContaining("links: good") });
    expect(JSON.parse((await netcombiner("local", ["show", "nc0", "--json"])).out).pid).toBe(pid);
  });

  measured("speedtest measures each link alone and the tunnel, both ways, and leaves all links in use", async () => {
    const { code, out } = await netcombiner("local", ["speedtest", "--duration", "3", "--json"]);
    expect(code).toBe(0);
    const { links, tunnel } = JSON.parse(out);
    console.log(renderSpeeds({ links, tunnel }));
    expect(links.map(({ name }: { name: string }) => name)).toEqual(["wan0", "wan1"]);
    const { out: shown } = await netcombiner("local", ["show", "nc0", "--json"]);
    expect(JSON.parse(shown).links.map((link: { paths: { standby: boolean }[] }) => link.paths[0]?.standby)).toEqual([
      false,
      false,
    ]);
    for (const way of ["forward", "reverse"]) {
      for (const link of links) {
        atLeast(`${link.name}, ${way}, Mbit/s`, link[way], LEAST_SHARE * LINK_MBITS);
        atMost(`${link.name}, ${way}, Mbit/s`, link[way], LINK_MBITS);
      }
      atLeast(`tunnel, ${way}, Mbit/s`, tunnel[way], LEAST_SHARE * 2 * LINK_MBITS);
      atMost(`tunnel, ${way}, Mbit/s`, tunnel[way], 2 * LINK_MBITS);
    }
  });

  test("speedtest turns away whoever does not have the secret", async () => {
    const { out } = await netcombiner("local", ["speedtest", "--duration", "1", "--forward"]);
    expect(out).toMatch(/^tunnel +\d+\.\d\d$/m);
    const [peer] = decodeToken(token).addresses;
    if (!peer) throw new Error("no address");
    // The responder of the test before waits on for a while.
    const intruder = `exec 3<>/dev/tcp/${formatAddress(peer.address)}/4726 && head -c 34 /dev/zero >&3 && cat <&3 | wc -c`;
    const child = Bun.spawn(topology.command("local", ["bash", "-c", intruder]), {
      stdout: "pipe",
      stderr: "ignore",
    });
    expect((await child.stdout.text()).trim()).toBe("0");
  });

  test("join once more changes nothing; a token of another remote portal does not without --force", async () => {
    const before = readFileSync(file("local"), "utf8");
    writeFileSync(file("local"), before.replace("Name = wan1", "Name = wan1\nMetric = 7"));
    const again = await netcombiner("local", ["join", "nc0", "-c", file("local")], token);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("stays as it is") });
    expect(readFileSync(file("local"), "utf8")).toContain("Metric = 7");
    const refused = await netcombiner("local", ["join", "-c", file("local")], otherToken());
    expect(refused).toMatchObject({ code: 73, out: "", err: expect.stringContaining("--force") });
    expect(readFileSync(file("local"), "utf8")).toContain("Metric = 7");
  });

  test("join by --force writes nothing where nobody accepts it, and keeps its key at the same remote portal", async () => {
    const before = readFileSync(file("local"), "utf8");
    const wrong = await netcombiner("local", ["join", "-c", file("local"), "--force"], otherToken());
    expect(wrong).toMatchObject({ code: 69, err: expect.stringContaining("A token works once") });
    expect(readFileSync(file("local"), "utf8")).toBe(before);
    const right = await netcombiner("local", ["join", "-c", file("local"), "--force", "--links", "wan1"], token);
    expect(right).toMatchObject({ code: 0, out: expect.stringContaining("links wan1\n") });
    expect(readFileSync(file("local"), "utf8")).toContain(keyLine(before));
  });

  test("init makes no other token while the remote portal has its peer", async () => {
    const { code, err } = await netcombiner("remote", ["init", "-c", file("remote")]);
    expect({ code, err }).toEqual({ code: 78, err: expect.stringContaining("has its local portal already") });
  });

  test("join refuses what is no token, and networks that are there already", async () => {
    const path = join(folder, "none.conf");
    const damaged = await netcombiner("local", ["join", "-c", path], token.slice(0, -3));
    expect(damaged).toMatchObject({ code: 65, err: expect.stringContaining("copy the whole line") });
    expect(await netcombiner("local", ["join", "-c", path], "")).toMatchObject({ code: 65 });
    // The tunnel nc0 has them.
    const clash = await netcombiner("local", ["join", "nc1", "-c", path], token);
    expect(clash).toMatchObject({ code: 78, err: expect.stringContaining("overlaps that of") });
  });

  test("netcheck tries the links of a tunnel that does not run, and leaves nothing behind", async () => {
    expect(await netcombiner("local", ["down", "nc0"])).toMatchObject({ code: 0 });
    // Nobody joins by a token that was used.
    const late = await netcombiner("local", ["join", "-c", join(folder, "late.conf"), "--write-only"], token);
    expect(late).toMatchObject({ code: 69, err: expect.stringContaining("A token works once") });
    expect(existsSync(join(folder, "late.conf"))).toBe(false);
    const interfaces = () => run(topology.command("local", ["ip", "-o", "link"]));
    const before = interfaces();
    const good = await netcombiner("local", ["netcheck", file("local")]);
    expect(good).toMatchObject({ code: 0, err: "" });
    expect(good.out).toMatch(/^ {2}peer {5}198\.18\.0\.2:4725 in \d\d\.\d ms$/m);
    writeFileSync(file("local"), readFileSync(file("local"), "utf8").replace("198.18.0.2", "198.18.0.77"));
    const bad = await netcombiner("local", ["netcheck", file("local")]);
    expect(bad).toMatchObject({ code: 69, out: expect.stringContaining("does not answer: no answer from the peer") });
    topology.ip("local", ["route del default dev wan1", "route flush table 101"]);
    const pathless = await netcombiner("local", ["netcheck", file("local")]);
    expect(pathless.out).toContain("no route to 198.18.0.77 by wan1");
    expect(interfaces()).toBe(before);
    expect(await netcombiner("local", ["netcheck"])).toMatchObject({ code: 64 });
  });
});
