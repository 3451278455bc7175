import { describe, expect, test } from "bun:test";
import { type Endpoint, formatAddress, parseEndpoint } from "../../src/endpoint.ts";
import { drawTunnelAddresses, hostAddresses, overlap, publicHosts } from "../../src/pairing/networks.ts";

const network = (text: string) => {
  const [host = "", prefix] = text.split("/");
  return { address: parseEndpoint(host) as Endpoint, prefix: Number(prefix) };
};
const own = (...texts: string[]) => texts.map((text) => ({ interface: "eth0", ...network(text) }));

describe("Addresses for pairing", () => {
  test("are those of the host that the Internet reaches, IPv4 first", () => {
    expect(publicHosts(own("fe80::1/64", "2001:db8::7/64", "2001:db8::8/64", "203.0.113.7/24"))).toEqual([
      "203.0.113.7",
      "2001:db8::7",
    ]);
    const others = own("10.0.0.1/8", "172.31.0.1/16", "192.168.1.2/24", "100.64.1.1/10", "169.254.1.1/16", "fd00::1/8");
    expect(publicHosts(others)).toEqual([]);
    expect(publicHosts(own("172.32.0.1/16", "100.128.0.1/10"))).toEqual(["172.32.0.1"]);
  });

  test("are read as node:os tells them", () => {
    const entry = { netmask: "", mac: "", scopeid: 0 };
    const addresses = hostAddresses({
      lo: [{ ...entry, address: "127.0.0.1", family: "IPv4", internal: true, cidr: "127.0.0.1/8" }],
      eth0: [
        { ...entry, address: "192.0.2.1", family: "IPv4", internal: false, cidr: "192.0.2.1/24" },
        { ...entry, address: "fe80::1%eth0", family: "IPv6", internal: false, cidr: "fe80::1/64" },
        { ...entry, address: "192.0.2.2", family: "IPv4", internal: false, cidr: null },
      ],
    } as never);
    expect(addresses.map((a) => `${a.interface} ${formatAddress(a.address)}/${a.prefix}`)).toEqual([
      "eth0 192.0.2.1/24",
      "eth0 fe80::1/64",
    ]);
  });

  test("overlap where one network holds the other", () => {
    const pairs: [string, string, boolean][] = [
      ["10.1.2.0/24", "10.1.2.1/32", true],
      ["10.1.2.0/24", "10.1.3.0/24", false],
      ["10.0.0.0/8", "10.200.3.4/24", true],
      ["0.0.0.0/0", "203.0.113.1/24", true],
      ["10.1.2.128/25", "10.1.2.1/25", false],
      ["fd00::/9", "fd7f::1/64", true],
      ["fd00::/9", "fd80::1/64", false],
      ["10.1.2.0/24", "::a01:200/0", false],
    ];
    for (const [a, b, is] of pairs) {
      expect([a, b, overlap(network(a), network(b))]).toEqual([a, b, is]);
      expect(overlap(network(b), network(a))).toBe(is);
    }
  });

  test("in the tunnel are private, random, and not of a network that is there", () => {
    let draws = 0;
    const random = (size: number) => new Uint8Array(size).fill(size === 2 ? Math.min(draws++, 3) : 7);
    const drawn = drawTunnelAddresses(own("10.0.0.0/16", "10.1.0.5/15", "192.168.1.1/24"), random);
    expect(drawn.map((a) => `${formatAddress(a.address)}/${a.prefix}`)).toEqual(["10.2.2.1/24", "fd07:707:707::1/64"]);
  });
});
