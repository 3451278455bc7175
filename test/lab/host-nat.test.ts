// Hosts behind the local portal under the remote portal's address, with ports forwarded to them, set up by `up` alone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { FAMILIES, PLAN } from "./addresses.ts";
import { HostNetwork, linkAddress, OTHER } from "./host-network.ts";
import { canUseLab, LAB_TIMEOUT_MILLIS } from "./lab.ts";

/** The lab's IPv6 Internet has unique local addresses. */
const INTERNET_SIX = "OpenNetworks = fd18::/64, fd19::/64";

const FORWARDS = [
  `Forward = tcp/8443 -> ${OTHER[4]}:443, tcp/5000 -> ${PLAN[4].client}`,
  `Forward = tcp/8443 -> [${OTHER[6]}]:443, udp/5000 -> ${PLAN[4].client}`,
  `Forward = udp/5000 -> ${PLAN[6].client}`,
];

/** The targets of these, at the local portal. */
const OPENED = [
  `Forward = tcp/443 -> ${OTHER[4]}, tcp/5000 -> ${PLAN[4].client}`,
  `Forward = tcp/443 -> ${OTHER[6]}, udp/5000 -> ${PLAN[4].client}`,
  `Forward = udp/5000 -> ${PLAN[6].client}`,
];

/** Networks that a machine in a data centre has besides: a bridge with containers, the cloud's metadata, a second network. */
const BRIDGE = "172.17.0.1";
const METADATA = "169.254.169.254";

describe.skipIf(!canUseLab)("Two clients of a NAT router", () => {
  setDefaultTimeout(LAB_TIMEOUT_MILLIS);
  let network: HostNetwork;
  const before: Record<string, string> = {};

  beforeAll(async () => {
    network = await HostNetwork.create();
    network.ip("remote", [
      "link add docker0 type bridge",
      "link set docker0 up",
      `addr add ${BRIDGE}/16 dev docker0`,
      `addr add ${METADATA}/32 dev docker0`,
    ]);
    network.ip("remote", ["addr add fd17::1/64 dev docker0 nodad"], 6);
    network.cable("inet", "rem2", "remote", "eth1");
    network.ip("inet", ["addr add 10.200.0.1/24 dev rem2"]);
    network.ip("remote", ["addr add 10.200.0.2/24 dev eth1"]);
    for (const place of ["local", "remote"] as const) before[place] = network.dump(place);
    await network.upBoth(
      ["Role = remote", INTERNET_SIX, ...FORWARDS],
      ["Role = local", "LanInterface = lan", ...OPENED],
    );
  });
  afterAll(() => network?.remove());

  for (const family of FAMILIES) {
    const { remote, server, wan } = PLAN[family];

    test(`have the remote portal's address in the IPv${family} Internet`, async () => {
      for (const place of ["client", "other"] as const) {
        for (const protocol of ["tcp", "udp"] as const)
          expect(await network.ask(place, protocol, server, 5000)).toBe(`server ${remote}`);
        expect(network.ping(place, server)).toBe(true);
      }
    });

    test(`are reached by IPv${family} at forwarded ports, from outside and from the other`, async () => {
      expect(await network.ask("server", "tcp", remote, 8443)).toBe(`other ${server}`);
      expect(await network.ask("server", "udp", remote, 5000)).toBe(`client ${server}`);
      expect(await network.ask("client", "tcp", remote, 8443)).toStartWith("other ");
    });

    test(`leave both portals what is theirs by IPv${family}`, async () => {
      expect(await network.ask("server", "tcp", remote, 22)).toBe(`remote ${server}`);
      expect(await network.ask("remote", "tcp", server, 5000)).toBe(`server ${remote}`);
      // The local portal's own packets take its links, and each answers from its own address.
      expect(await network.ask("local", "tcp", server, 5000)).toBe(`server ${linkAddress(family, 0)}`);
      for (const link of [0, 1]) expect(await network.ask("server", "tcp", wan(link), 22)).toBe(`local ${server}`);
      expect(await network.ask("client", "tcp", PLAN[family].clientRouter, 22)).toStartWith("local ");
    });
  }

  test("cannot be reached by whoever routes to them on the remote portal's network", async () => {
    const { clientNetwork, remote, client } = PLAN[4];
    network.ip("inet", [`route add ${clientNetwork} via ${remote}`]);
    expect(await network.ask("server", "tcp", client, 443)).toBe("no answer");
  });

  test("cannot be reached by a second network of the remote portal either", async () => {
    const { clientNetwork, server, client } = PLAN[4];
    network.ip("inet", [`route replace ${clientNetwork} via 10.200.0.2`]);
    // The source then passes the reverse-path filter there.
    network.ip("remote", [`route add ${server} via 10.200.0.1`]);
    const answer = await network.ask("server", "tcp", client, 443);
    network.ip("remote", [`route del ${server}`]);
    expect(answer).toBe("no answer");
  });

  test("reach the remote portal in the tunnel and at its public address, but none of its private networks", async () => {
    for (const family of FAMILIES) {
      expect(await network.ask("client", "tcp", PLAN[family].innerRemote, 443)).toStartWith("remote ");
      expect(await network.ask("client", "tcp", PLAN[family].remote, 22)).toStartWith("remote ");
    }
    const closed = [BRIDGE, METADATA, "fd17::1", "10.200.0.1", "10.200.0.2"];
    const answers = await Promise.all(closed.map((address) => network.ask("client", "tcp", address, 443)));
    expect(answers).toEqual(closed.map(() => "no answer"));
  });

  test("and the local portal are not open to the remote portal, but for pings", async () => {
    for (const family of FAMILIES) {
      const { innerLocal } = PLAN[family];
      expect(network.ping("remote", innerLocal)).toBe(true);
      const closed = [innerLocal, OTHER[family]].map((address) => network.ask("remote", "tcp", address, 22));
      expect(await Promise.all(closed)).toEqual(["no answer", "no answer"]);
      expect(await network.ask("remote", "tcp", OTHER[family], 443)).toStartWith("other ");
    }
  });

  test("leave nothing behind when the tunnel goes", async () => {
    for (const place of ["local", "remote"] as const) {
      await network.down(place);
      expect(network.dump(place)).toBe(before[place] as string);
    }
  });

  test("keep their own addresses up to the remote portal where it routes to their network", async () => {
    const networks = FAMILIES.map((family) => PLAN[family].clientNetwork).join(", ");
    const local = ["Role = local", "LanInterface = lan", "Masquerade = off", `OpenNetworks = ${networks}`];
    await network.upBoth(["Role = remote", INTERNET_SIX, `PeerNetworks = ${networks}`], local);
    for (const family of FAMILIES) {
      const { client, remote, server, innerRemote } = PLAN[family];
      expect(await network.ask("client", "tcp", server, 443)).toBe(`server ${remote}`);
      expect(await network.ask("client", "tcp", innerRemote, 443)).toBe(`remote ${client}`);
      expect(await network.ask("remote", "tcp", client, 443)).toBe(`client ${innerRemote}`);
    }
  });
});
