import { describe, expect, test } from "bun:test";
import { validateConfiguration } from "../../src/config/load.ts";
import { DROP_REASONS } from "../../src/drops.ts";
import { AllowedIps } from "../../src/portal/allowed-ips.ts";
import { ParsedHeader } from "../../src/wire/ip.ts";
import { packetBetween, ports } from "../support/packets/build.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const UDP = 17;

function validate(keys: string) {
  const text = `[Host]\nSharedKey = ${KEY}\n${keys}\n[Peer]\n`;
  return validateConfiguration({ text, mode: 0o600 }, "nc0.conf", () => ({ problem: "no such file" }));
}

/** Which of `addresses` the other portal may use, by the table that the keys make. */
function allowed(keys: string, addresses: readonly string[]): string[] {
  const { configuration, faults } = validate(keys);
  expect(faults).toEqual([]);
  const table = new AllowedIps(configuration?.tunnel.allowedIps);
  return addresses.filter((address) => {
    const other = address.includes(":") ? "2001:db8:ffff::9" : "198.51.100.99";
    const into = packetBetween(other, address, UDP, ports(1, 2, 8));
    const outOf = packetBetween(address, other, UDP, ports(1, 2, 8));
    const verdicts = [judge(table, "checkOutbound", into), judge(table, "checkInbound", outOf)];
    // One table for both directions.
    expect([
      ["none", "none"],
      ["packet-destination", "packet-source"],
    ]).toContainEqual(verdicts);
    return verdicts[0] === "none";
  });
}

function judge(table: AllowedIps, check: "checkInbound" | "checkOutbound", packet: Uint8Array) {
  const parsed = new ParsedHeader();
  const view = new DataView(packet.buffer, packet.byteOffset);
  parsed.parse(view, 0, packet.length);
  return DROP_REASONS[table[check]({ view, bytes: packet }, 0, parsed)] as string;
}

const TUNNEL = ["10.47.25.1", "10.47.25.2", "fd47:25::1", "fd47:25::2"];
const OTHERS = ["8.8.8.8", "192.168.50.10", "203.0.113.1", "172.17.0.5", "2001:db8::2", "2606:4700::1"];
const ALL = [...TUNNEL, ...OTHERS];

describe("The addresses of the other portal", () => {
  test("are at the remote portal the rest of the tunnel's networks", () => {
    const keys = "Role = remote\nAddress = 10.47.25.1/24, fd47:25::1/64";
    expect(allowed(keys, ALL)).toEqual(["10.47.25.2", "fd47:25::2"]);
  });

  test("are at the remote portal the client, and not its private networks", () => {
    const keys = "Role = remote\nAddress = 10.47.25.1/24\nClientAddress = 203.0.113.1, 2001:db8::2";
    expect(allowed(keys, ALL)).toEqual(["10.47.25.2", "203.0.113.1", "2001:db8::2"]);
  });

  test("are at the remote portal the networks and the targets of forwards behind the local one", () => {
    const address = "Role = remote\nAddress = 10.47.25.1/24\n";
    expect(allowed(`${address}PeerNetworks = 192.168.50.0/24`, ALL)).toEqual(["10.47.25.2", "192.168.50.10"]);
    const forward = `${address}Forward = tcp/443 -> 192.168.50.10`;
    expect(allowed(forward, [...ALL, "192.168.50.11"])).toEqual(["10.47.25.2", "192.168.50.10"]);
  });

  test("are at the local portal all but this side's", () => {
    const keys = "Role = local\nLanInterface = lan\nAddress = 10.47.25.2/24, fd47:25::2/64\n";
    const without = (...own: string[]) => ALL.filter((address) => !own.includes(address));
    expect(allowed(keys, ALL)).toEqual(without("10.47.25.2", "fd47:25::2"));
    const client = "ClientAddress = 203.0.113.1, 2001:db8::2";
    expect(allowed(keys + client, ALL)).toEqual(without("10.47.25.2", "fd47:25::2", "203.0.113.1", "2001:db8::2"));
    const open = "OpenNetworks = 192.168.50.0/24, 10.0.0.0/8";
    expect(allowed(keys + open, ALL)).toEqual(without("10.47.25.2", "fd47:25::2", "192.168.50.10"));
  });

  test("are all but this portal's own without a Role", () => {
    expect(allowed("Address = 10.47.25.1/24", ALL)).toEqual(ALL.filter((address) => address !== "10.47.25.1"));
    expect(allowed("", ALL)).toEqual(ALL);
  });

  test("are those of AllowedIPs where it is given, whatever the role, and never this portal's own", () => {
    for (const role of ["Role = remote\n", "Role = local\n", ""]) {
      const keys = `${role}Address = 10.47.25.1/24\nAllowedIPs = 10.47.25.0/24, 172.16.0.0/12`;
      expect(allowed(keys, ALL)).toEqual(["10.47.25.2", "172.17.0.5"]);
    }
  });

  test("must leave the other portal an address", () => {
    const texts = (keys: string) => validate(keys).faults.map(({ text }) => text);
    expect(texts("Role = remote\nAddress = 10.47.25.1/32").join()).toContain("or set AllowedIPs");
    expect(texts("Role = remote\nAddress = 10.47.25.1/32\nAllowedIPs = 10.47.25.2/32")).toEqual([]);
    expect(texts("AllowedIPs = 10.47.25.2/24").join()).toContain("AllowedIPs");
  });
});
