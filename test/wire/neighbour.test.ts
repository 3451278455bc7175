import { describe, expect, test } from "bun:test";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { isForNeighbours } from "../../src/wire/neighbour.ts";
import { packetBetween, ports } from "../support/packets/build.ts";

const [ICMP, IGMP, UDP, ICMPV6] = [1, 2, 17, 58];

function judge(packet: Uint8Array): boolean {
  const parsed = new ParsedHeader();
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  expect(parsed.parse(view, 0, packet.length)).toBe(true);
  return isForNeighbours(view, 0, parsed);
}

const icmp = (type: number) => Uint8Array.from([type, 0, 0, 0, 0, 0, 0, 0]);
const FOUR = ["10.47.25.2", "192.0.2.1"] as const;
const SIX = ["fd47:25::2", "2001:db8::1"] as const;

describe("a packet is for neighbours", () => {
  const addresses: readonly (readonly [why: string, source: string, destination: string])[] = [
    ["link-local source", "169.254.3.4", "192.0.2.1"],
    ["the cloud's metadata", "10.47.25.2", "169.254.169.254"],
    ["multicast destination: mDNS, OSPF", "10.47.25.2", "224.0.0.251"],
    ["multicast source", "239.1.2.3", "192.0.2.1"],
    ["broadcast", "10.47.25.2", "255.255.255.255"],
    ["no source: DHCP", "0.0.0.0", "192.0.2.1"],
    ["loopback source", "127.0.0.1", "192.0.2.1"],
    ["loopback destination", "10.47.25.2", "127.0.0.1"],
    ["link-local source", "fe80::1", "2001:db8::1"],
    ["last link-local address", "febf::1", "2001:db8::1"],
    ["link-local destination", "fd47:25::2", "fe80::1"],
    ["multicast destination", "fd47:25::2", "ff02::fb"],
    ["global multicast", "fd47:25::2", "ff0e::1"],
    ["multicast source", "ff02::1", "2001:db8::1"],
    ["no source", "::", "2001:db8::1"],
    ["loopback", "::1", "2001:db8::1"],
  ];
  test.each(addresses)("by its addresses: %s, %s to %s", (_why, source, destination) => {
    expect(judge(packetBetween(source, destination, UDP, ports(1_000, 2_000, 8)))).toBe(true);
  });

  test("by its type of ICMP: redirects, router advertisements, neighbour discovery, MLD", () => {
    const typesOf = (protocol: number, [from, to]: readonly [string, string]) =>
      Array.from({ length: 256 }, (_, type) => type).filter((type) =>
        judge(packetBetween(from, to, protocol, icmp(type))),
      );
    expect(typesOf(ICMP, FOUR)).toEqual([5, 9, 10]);
    const six = [130, 131, 132, 133, 134, 135, 136, 137, 141, 142, 143, 148, 149, 151, 152, 153];
    expect(typesOf(ICMPV6, SIX)).toEqual(six);
  });

  test("by its protocol or port: IGMP, and DHCP's answers to a client", () => {
    expect(judge(packetBetween(...FOUR, IGMP, icmp(0x16)))).toBe(true);
    expect(judge(packetBetween(...FOUR, UDP, ports(67, 68, 8)))).toBe(true);
    expect(judge(packetBetween(...SIX, UDP, ports(547, 546, 8)))).toBe(true);
  });
});

describe("a packet is for routers", () => {
  test.each([
    ["first unicast address", "1.0.0.1", "126.255.255.255"],
    ["beside link-local", "169.253.255.255", "169.255.0.1"],
    ["beside multicast", "223.255.255.255", "240.0.0.1"],
    ["beside IPv6 link-local", "fec0::1", "fe00::1"],
    ["IPv6 beside the loopback", "::2", "2001:db8::1"],
  ])("%s, %s to %s", (_why, source, destination) => {
    expect(judge(packetBetween(source, destination, UDP, ports(68, 2_000, 8)))).toBe(false);
  });

  test("a later fragment, whose bytes are no type and no port", () => {
    const packet = packetBetween(...FOUR, ICMP, icmp(5));
    packet[7] = 1;
    expect(judge(packet)).toBe(false);
  });

  test("an ICMP packet that ends before its type", () => {
    expect(judge(packetBetween(...FOUR, ICMP, new Uint8Array(0)))).toBe(false);
    expect(judge(packetBetween(...SIX, ICMPV6, new Uint8Array(0)))).toBe(false);
    expect(judge(packetBetween(...FOUR, UDP, new Uint8Array(2)))).toBe(false);
  });
});
