import { describe, expect, test } from "bun:test";
import { validateConfiguration } from "../../src/config/load.ts";
import type { SystemConfiguration } from "../../src/config/system-configuration.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const ADDRESS = "Address = 10.47.25.1/24\n";

function validate(keys: string) {
  const text = `[Host]\nSharedKey = ${KEY}\n${keys}\n[Peer]\n`;
  return validateConfiguration({ text, mode: 0o600 }, "nc0.conf", () => ({ problem: "no such file" }));
}

function system(keys: string): SystemConfiguration {
  const { configuration, faults } = validate(keys);
  expect(faults).toEqual([]);
  return (configuration as NonNullable<typeof configuration>).system;
}

function faults(keys: string): string[] {
  return validate(keys).faults.map(({ line, text }) => `${line}: ${text}`);
}

describe("What up does to the system", () => {
  test("is next to nothing unless a role is given", () => {
    expect(system("")).toMatchObject({ role: undefined, table: "auto", fwMark: undefined, peerNetworks: [] });
  });

  test("is NAT with the dissertation's port for a mark when a role is given", () => {
    expect(system(`Role = Remote\n${ADDRESS}`)).toMatchObject({ role: "remote", fwMark: 4725, masquerade: true });
  });

  test("keeps SSH where the client has the remote portal's address", () => {
    const { keepPorts, clientAddresses, masquerade } = system(
      "Role = remote\nClientAddress = 203.0.113.1, 2001:db8::2",
    );
    expect(keepPorts).toEqual([{ protocol: "tcp", first: 22, last: 22 }]);
    expect(clientAddresses).toEqual([
      { family: 4, address: "203.0.113.1" },
      { family: 6, address: "2001:db8::2" },
    ]);
    expect(masquerade).toBe(false);
  });

  test("reads numbers in both forms", () => {
    expect(system(`Role = local\nTable = 51\nFwMark = 0xca\n${ADDRESS}`)).toMatchObject({ table: 51, fwMark: 0xca });
    expect(system(`Role = local\nTable = off\n${ADDRESS}`)).toMatchObject({ table: "off", fwMark: undefined });
    expect(system(`Role = remote\nFwMark = OFF\n${ADDRESS}`).fwMark).toBeUndefined();
  });

  test("takes repeated keys together, and commands one by one as they are written", () => {
    const { hooks, lanInterfaces, peerNetworks } = system(
      `Role = local\n${ADDRESS}LanInterface = lan0\nLanInterface = wlan0, lan1\nPeerNetworks = 10.0.0.0/8\n` +
        "PeerNetworks = fd00:1::/32\nPostUp = logger a, b;c\nPostUp = echo %i # done\nPreDown = true",
    );
    expect(hooks).toEqual({ preUp: [], postUp: ["logger a, b;c", "echo %i"], preDown: ["true"], postDown: [] });
    expect(lanInterfaces).toEqual(["lan0", "wlan0", "lan1"]);
    expect(peerNetworks).toEqual([
      { family: 4, address: "10.0.0.0", prefix: 8 },
      { family: 6, address: "fd00:1::", prefix: 32 },
    ]);
  });

  test("forwards ports to hosts of both kinds of address", () => {
    const { forwards } = system(
      `Role = remote\n${ADDRESS}Forward = tcp/443 -> 192.168.1.10\nForward = TCP/8443->[fd01::10]:443\n` +
        "Forward = udp/5000-5010 -> fd01::10, tcp/80 -> 192.168.1.10:8080",
    );
    expect(forwards).toEqual([
      { protocol: "tcp", first: 443, last: 443, family: 4, address: "192.168.1.10", port: undefined },
      { protocol: "tcp", first: 8443, last: 8443, family: 6, address: "fd01::10", port: 443 },
      { protocol: "udp", first: 5000, last: 5010, family: 6, address: "fd01::10", port: undefined },
      { protocol: "tcp", first: 80, last: 80, family: 4, address: "192.168.1.10", port: 8080 },
    ]);
  });
});

describe("A wrong value", () => {
  const WRONG: readonly (readonly [keys: string, ...complaints: string[]])[] = [
    ["Role = middle", "3: Host.Role invalid: expected one of remote, local; given middle"],
    ["Table = main", "3: Host.Table invalid: expected auto, off, or the number of a table"],
    ["Table = 254", "3: Host.Table invalid: expected auto, off"],
    ["FwMark = 0", "3: Host.FwMark invalid: expected a number from 1 to 0xffffffff, or off; given 0"],
    ["FwMark = 0x100000000", "3: Host.FwMark invalid"],
    ["PostUp =", "3: Host.PostUp invalid: expected a command; given nothing"],
    ["PostUp = a ; b", '3: Host.PostUp invalid: ";" after white space begins a comment, so put each command'],
    ["ClientAddress = 10.0.0.1/24", "3: Host.ClientAddress invalid: expected an IPv4 or IPv6 address without prefix"],
    ["LanInterface = a/b", "3: Host.LanInterface invalid: expected interface names"],
    ["PeerNetworks = 10.0.0.1/24", "3: Host.PeerNetworks invalid: expected a network with prefix length"],
    ["PeerNetworks = 10.0.0.0/33", "3: Host.PeerNetworks invalid"],
    ["PeerNetworks = fd01::1/64", "3: Host.PeerNetworks invalid"],
    ["KeepPorts = 22", "3: Host.KeepPorts invalid: expected tcp or udp with a port"],
    ["KeepPorts = tcp/90-80", "3: Host.KeepPorts invalid"],
    ["KeepPorts = tcp/65536", "3: Host.KeepPorts invalid"],
    ["Forward = tcp/443", "3: Host.Forward invalid: expected ports and an address, like tcp/443 -> 192.168.1.10"],
    ["Forward = tcp/443 -> host", "3: Host.Forward invalid"],
    ["Forward = tcp/443 -> 10.0.0.1:0", "3: Host.Forward invalid"],
    ["Forward = tcp/80-90 -> 10.0.0.1:80", "3: Host.Forward invalid"],
    ["Forward = tcp/443 -> [10.0.0.1", "3: Host.Forward invalid"],
  ];

  test.each(WRONG)("is told: %s", (keys, ...complaints) => {
    const found = faults(keys);
    for (const [i, complaint] of complaints.entries()) expect(found[i]).toStartWith(complaint);
    expect(found).toHaveLength(complaints.length);
  });
});

describe("Keys that do not go together", () => {
  const WRONG: readonly (readonly [keys: string, ...complaints: string[]])[] = [
    ["ClientAddress = 10.0.0.1", "3: Host.ClientAddress invalid: only with Role; given 10.0.0.1"],
    ["Role = local", "1: Host.Address missing: Role needs an address of the tunnel"],
    [`Role = remote\n${ADDRESS}LanInterface = lan`, "5: Host.LanInterface invalid: only with Role local; given lan"],
    [`${ADDRESS}Masquerade = on`, "4: Host.Masquerade invalid: only with Role"],
    ["Role = local\nClientAddress = 10.0.0.1", "1: Host.LanInterface missing: name the interface of the client's LAN"],
    [
      `Role = local\nFwMark = off\n${ADDRESS}`,
      "4: Host.FwMark invalid: not off with Role local and without LanInterface",
    ],
    [`${ADDRESS}Forward = tcp/1 -> 10.0.0.1`, "4: Host.Forward invalid: only with Role"],
    [`${ADDRESS}OpenNetworks = 10.0.0.0/8`, "4: Host.OpenNetworks invalid: only with Role"],
    [
      `Role = remote\n${ADDRESS}KeepPorts = tcp/1`,
      "5: Host.KeepPorts invalid: only with Role remote and ClientAddress",
    ],
    [
      "Role = remote\nClientAddress = 10.0.0.1\nForward = tcp/1 -> 10.0.0.1\nMasquerade = on\nFwMark = off\nTable = off",
      "5: Host.Forward invalid: not with ClientAddress",
      "6: Host.Masquerade invalid: not with ClientAddress",
      "7: Host.FwMark invalid: not off with ClientAddress",
      "8: Host.Table invalid: not off with ClientAddress",
    ],
  ];

  test.each(WRONG)("are told: %s", (keys, ...complaints) => {
    const found = faults(keys).sort();
    for (const [i, complaint] of complaints.entries()) expect(found[i]).toStartWith(complaint);
    expect(found).toHaveLength(complaints.length);
  });
});
