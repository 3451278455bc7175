// A local portal without a LAN, which goes through the tunnel itself; and what becomes of a host when things go wrong.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { FAMILIES, PLAN } from "./addresses.ts";
import { HostNetwork, linkAddress } from "./host-network.ts";
import { canUseLab, LAB_TIMEOUT_MILLIS } from "./lab.ts";

// The lab's IPv6 Internet has unique local addresses.
const REMOTE = ["Role = remote", "OpenNetworks = fd19::/64"];
const LOCAL = ["Role = local"];
const ADDRESS = "Address = 10.9.9.1/24, fd09::1/64";
const LISTENS = ["[Peer]"];

describe.skipIf(!canUseLab)("A host", () => {
  setDefaultTimeout(LAB_TIMEOUT_MILLIS);
  let network: HostNetwork;
  const before: Record<string, string> = {};
  const unchanged = (place: "local" | "remote") => expect(network.dump(place)).toBe(before[place] as string);

  beforeAll(async () => {
    network = await HostNetwork.create();
    for (const place of ["local", "remote"] as const) before[place] = network.dump(place);
  });
  afterEach(async () => {
    for (const place of ["local", "remote"] as const) await network.program(place, "down", "nc0");
  });
  afterAll(() => network?.remove());

  test("goes through the tunnel itself, but for name service and its links", async () => {
    await network.upBoth(REMOTE, LOCAL);
    for (const family of FAMILIES) {
      const { server, remote, wan } = PLAN[family];
      for (const protocol of ["tcp", "udp"] as const) {
        expect(await network.ask("local", protocol, server, 5000)).toBe(`server ${remote}`);
        expect(await network.ask("local", protocol, server, 53)).toBe(`server ${linkAddress(family, 0)}`);
      }
      // As SSH sessions come in.
      for (const link of [0, 1]) expect(await network.ask("server", "tcp", wan(link), 22)).toBe(`local ${server}`);
      expect(await network.ask("client", "tcp", PLAN[family].clientRouter, 22)).toStartWith("local ");
    }
    for (const place of ["local", "remote"] as const) {
      await network.down(place);
      unchanged(place);
    }
  });

  test("keeps the tunnel's own datagrams out of the tunnel when nothing but their mark tells them", async () => {
    await network.up("remote", [...REMOTE, ADDRESS], LISTENS);
    await network.up("local", [...LOCAL, "Address = 10.9.9.2/24"], ["[Peer]", `RemoteHost = ${PLAN[4].remote}`]);
    await network.untilPathsUp(1);
    expect(await network.ask("local", "tcp", PLAN[4].server, 5000)).toBe(`server ${PLAN[4].remote}`);
  });

  for (const family of FAMILIES)
    test(`does not cut the session that up is typed in, over IPv${family}`, async () => {
      const { remote, wan } = PLAN[family];
      const cases = [
        ["remote", remote, ["Role = remote", `ClientAddress = ${remote}`]],
        // By the link of the default route: strict filters, until up is done, let nothing else in.
        ["local", wan(0), [...LOCAL, ADDRESS]],
      ] as const;
      for (const [place, address, keys] of cases) {
        await network.openSession(place, address);
        await network.up(place, keys, LISTENS);
        expect(await network.say("still here")).toBe("still here");
        await network.down(place);
        expect(await network.say("and now")).toBe("and now");
        network.closeSession(place);
      }
    });

  test("is healed by down after the program was killed", async () => {
    await network.upBoth(REMOTE, LOCAL);
    for (const place of ["local", "remote"] as const) {
      process.kill(await network.pidOf(place), "SIGKILL");
      await network.down(place);
      unchanged(place);
    }
  });

  test("is healed by the next up after the program was killed", async () => {
    await network.upBoth(REMOTE, LOCAL);
    const pids = await Promise.all((["local", "remote"] as const).map((place) => network.pidOf(place)));
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await network.upBoth(REMOTE, LOCAL);
    expect(await network.ask("local", "tcp", PLAN[4].server, 5000)).toBe(`server ${PLAN[4].remote}`);
    for (const place of ["local", "remote"] as const) {
      await network.down(place);
      unchanged(place);
    }
  });

  test("is as before when the last step fails, and the command says why", async () => {
    const path = network.configure("remote", [...REMOTE, ADDRESS, "PostUp = echo no luck >&2; exit 3"], LISTENS);
    const { code, err } = await network.program("remote", "up", "nc0", "-c", path);
    expect(code).toBe(71);
    expect(err).toContain("[#] sysctl -w net/ipv4/ip_forward=1\n");
    expect(err).toEndWith("netcombiner: echo no luck >&2; exit 3: no luck\n");
    unchanged("remote");
  });

  test("is as before when the program ends by itself", async () => {
    await network.up("remote", [...REMOTE, ADDRESS], LISTENS);
    const pid = await network.pidOf("remote");
    network.ip("remote", ["link del nc0"]);
    await network.untilGone(pid);
    unchanged("remote");
  });

  test("changes nothing when it is only told what would be done", async () => {
    for (const [place, role] of [
      ["remote", REMOTE],
      ["local", LOCAL],
    ] as const) {
      const path = network.configure(place, [...role, ADDRESS], LISTENS);
      const { code, out } = await network.program(place, "up", "nc0", "-c", path, "--dry-run");
      expect(code).toBe(0);
      expect(out).toContain(`\nnetcombiner nc0 -c ${path}\n`);
      unchanged(place);
    }
  });

  test("runs two tunnels, and the last one to go takes back what they shared", async () => {
    const nc1 = network.configure("remote", [...REMOTE, "Address = 10.9.8.1/24"], ["[Peer]", "LocalPort = 4726"]);
    expect(await network.program("remote", "up", "nc1", "-c", nc1)).toMatchObject({ code: 0 });
    await network.up("remote", [...REMOTE, ADDRESS], LISTENS);
    expect(await network.program("remote", "down", "nc1")).toMatchObject({ code: 0 });
    expect(network.dump("remote")).toContain("/ipv4/ip_forward:1\n");
    await network.down("remote");
    unchanged("remote");
  });

  test("runs the user's own commands in the order of their names", async () => {
    const file = `${network.runDirectory("remote")}/told`;
    const hooks = ["PreUp", "PostUp", "PreDown", "PostDown"].map(
      (key) => `${key} = echo ${key} %i $(ip -o link show %i 2>/dev/null | grep -o '<.*>' | grep -c UP) >> ${file}`,
    );
    await network.up("remote", [ADDRESS, ...hooks], LISTENS);
    await network.down("remote");
    expect(await Bun.file(file).text()).toBe("PreUp nc0 0\nPostUp nc0 1\nPreDown nc0 1\nPostDown nc0 0\n");
    unchanged("remote");
  });
});
