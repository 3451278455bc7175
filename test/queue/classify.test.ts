import { describe, expect, test } from "bun:test";
import { classify, TRAFFIC } from "../../src/queue/classify.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { ipv4, ipv6, ports, tcp } from "../support/packets/build.ts";

function trafficOf(packet: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(packet.buffer);
  const parsed = new ParsedHeader();
  expect(parsed.parse(view, 0, packet.length)).toBe(true);
  return classify(view, 0, parsed);
}

const cases: readonly (readonly [
  name: string,
  protocol: number,
  payload: Uint8Array,
  expected: number,
  tos?: number,
])[] = [
  ["TCP with content", 6, tcp(5, 6, 0x18, 10), TRAFFIC.STREAM],
  ["a SYN", 6, tcp(5, 6, 0x02), TRAFFIC.STREAM],
  ["a FIN, whose place is behind the content", 6, tcp(5, 6, 0x11), TRAFFIC.STREAM],
  ["a bare ACK", 6, tcp(5, 6, 0x10), TRAFFIC.ACKNOWLEDGEMENT],
  ["a bare ACK with ECN echo", 6, tcp(5, 6, 0x50), TRAFFIC.ACKNOWLEDGEMENT],
  ["TCP cut short", 6, tcp(5, 6, 0x10).slice(0, 12), TRAFFIC.STREAM],
  ["TCP marked for speed", 6, tcp(5, 6, 0x18, 10), TRAFFIC.STREAM, 0xb8],
  ["UDP", 17, ports(5, 6), TRAFFIC.ORDINARY],
  ["a question to DNS", 17, ports(5000, 53), TRAFFIC.QUERY],
  ["an answer of DNS", 17, ports(53, 5000), TRAFFIC.QUERY],
  ["UDP cut short", 17, new Uint8Array(2), TRAFFIC.ORDINARY],
  ["UDP marked EF", 17, ports(5, 6), TRAFFIC.REALTIME, 46 << 2],
  ["UDP marked VOICE-ADMIT", 17, ports(5, 6), TRAFFIC.REALTIME, 44 << 2],
  ["UDP marked CS4, and taking marks", 17, ports(5, 6), TRAFFIC.REALTIME, (32 << 2) | 2],
  ["UDP marked AF33", 17, ports(5, 6), TRAFFIC.ORDINARY, 30 << 2],
  ["another protocol", 50, ports(5, 6), TRAFFIC.ORDINARY],
];

describe("classify", () => {
  test.each(cases)("%s", (_, protocol, payload, expected, tos = 0) => {
    expect(trafficOf(ipv4(protocol, payload, { tos }))).toBe(expected);
    expect(trafficOf(ipv6(protocol, payload, tos))).toBe(expected);
  });

  test("ICMP of either version is a query", () => {
    expect(trafficOf(ipv4(1, ports(8, 0)))).toBe(TRAFFIC.QUERY);
    expect(trafficOf(ipv6(58, ports(8, 0)))).toBe(TRAFFIC.QUERY);
  });

  test("a later fragment of a lookup has no ports to show", () => {
    expect(trafficOf(ipv4(17, ports(53, 53), { fragment: 10 }))).toBe(TRAFFIC.ORDINARY);
  });
});
