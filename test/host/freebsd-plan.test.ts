import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freebsdInterfaceCommands, planFreebsd } from "../../src/host/freebsd/plan.ts";
import {
  ANCHORS,
  type FreebsdState,
  parseGateways,
  parseLease,
  parseNameServers,
  parsePf,
} from "../../src/host/freebsd/state.ts";
import { HostSystem } from "../../src/host/system.ts";
import { doneLines, requestOf, SSH, undoneLines } from "./plans.ts";

const INNER = "Address = 10.47.25.1/24, fd47:25::1/64\n";

const REMOTE: FreebsdState = {
  addresses: [
    { family: 4, device: "vtnet0", address: "203.0.113.1", prefix: 24 },
    { family: 6, device: "vtnet0", address: "2001:db8::2", prefix: 64 },
  ],
  gateways: [
    { family: 4, device: "vtnet0", address: "203.0.113.254" },
    { family: 6, device: "vtnet0", address: "fe80::1%vtnet0" },
  ],
  nameServers: [],
  sysctls: { "net.inet.ip.forwarding": "0", "net.inet6.ip6.forwarding": "1" },
  pf: { isEnabled: true, missingAnchors: [] },
};

const LOCAL: FreebsdState = {
  addresses: [
    { family: 4, device: "lan", address: "192.168.50.1", prefix: 24 },
    { family: 4, device: "wan0", address: "10.77.0.2", prefix: 24 },
    { family: 4, device: "wan1", address: "10.77.1.2", prefix: 24 },
  ],
  gateways: [
    { family: 4, device: "wan0", address: "10.77.0.1" },
    { family: 4, device: "wan1", address: "10.77.1.1" },
  ],
  nameServers: ["192.168.50.9", "9.9.9.9"],
  sysctls: { "net.inet.ip.forwarding": "0", "net.inet6.ip6.forwarding": "0" },
  pf: { isEnabled: false, missingAnchors: [] },
};

const CLOSED = [
  "block in quick on nc0 inet from any to { 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 }",
  "block in quick on nc0 inet6 from any to { fc00::/7, fe80::/10 }",
];

describe("The plan for FreeBSD", () => {
  test("sends the remote portal's address to the client, but for what stays", () => {
    const request = requestOf(
      "Role = remote\nClientAddress = 203.0.113.1, 2001:db8::2\nKeepPorts = tcp/22",
      "[Peer]",
      SSH,
    );
    expect(doneLines(planFreebsd(request, REMOTE))).toEqual([
      "sysctl net.inet.ip.forwarding=1",
      "pfctl -q -a netcombiner/nc0 -f - <<'EOF'",
      ...CLOSED,
      "pass in quick on vtnet0 inet proto udp from any to 203.0.113.1 port 4725",
      "pass in quick on vtnet0 inet proto tcp from any to 203.0.113.1 port { 22, 2222 }",
      "pass in quick on nc0 inet from 203.0.113.1 to any no state tag netcombiner-nc0",
      "pass out quick on vtnet0 inet from 203.0.113.1 to any no state tagged netcombiner-nc0",
      "pass out quick on vtnet0 inet from 203.0.113.1 to any keep state",
      "pass in quick on vtnet0 route-to (nc0 203.0.113.1) inet from any to 203.0.113.1 no state",
      "pass out quick on nc0 inet from any to 203.0.113.1 no state",
      "pass in quick on vtnet0 inet6 proto udp from any to 2001:db8::2 port 4725",
      "pass in quick on vtnet0 inet6 proto tcp from any to 2001:db8::2 port { 22, 2222 }",
      "pass in quick on vtnet0 inet6 proto icmp6 from any to 2001:db8::2 icmp6-type { routeradv, neighbrsol, neighbradv, redir }",
      "pass in quick on nc0 inet6 from 2001:db8::2 to any no state tag netcombiner-nc0",
      "pass out quick on vtnet0 inet6 from 2001:db8::2 to any no state tagged netcombiner-nc0",
      "pass out quick on vtnet0 inet6 from 2001:db8::2 to any keep state",
      "pass in quick on vtnet0 route-to (nc0 2001:db8::2) inet6 from any to 2001:db8::2 no state",
      "pass out quick on nc0 inet6 from any to 2001:db8::2 no state",
      "EOF",
    ]);
  });

  test("has NAT and forwarded ports at the remote portal", () => {
    const keys =
      "Forward = tcp/443 -> 192.168.50.10\nForward = udp/5000-5010 -> 192.168.50.10, tcp/8443 -> [fd50::10]:443";
    const request = requestOf(`Role = remote\n${INNER}${keys}\nOpenNetworks = 10.1.0.0/16`, "[Peer]", SSH);
    const steps = planFreebsd(request, REMOTE);
    expect(doneLines(steps)).toEqual([
      "route -q add -inet -host 192.168.50.10 -interface nc0",
      "route -q add -inet6 -host fd50::10 -interface nc0",
      "sysctl net.inet.ip.forwarding=1",
      "pfctl -q -a netcombiner/nc0 -f - <<'EOF'",
      "nat on vtnet0 inet from any to any tagged netcombiner-nc0 -> (vtnet0)",
      "nat on vtnet0 inet6 from fc00::/7 to any tagged netcombiner-nc0 -> 2001:db8::2",
      "no rdr proto tcp from 198.51.100.77 port 50000 to any port 2222",
      "rdr pass on vtnet0 inet proto tcp from any to (vtnet0) port 443 -> 192.168.50.10",
      "rdr pass on vtnet0 inet proto udp from any to (vtnet0) port 5000:5010 -> 192.168.50.10 port 5000:*",
      "rdr pass on vtnet0 inet6 proto tcp from any to 2001:db8::2 port 8443 -> fd50::10 port 443",
      "pass in quick on nc0 inet from any to { 10.47.25.1, 10.1.0.0/16 } tag netcombiner-nc0",
      CLOSED[0] as string,
      "pass in quick on nc0 inet6 from any to fd47:25::1 tag netcombiner-nc0",
      CLOSED[1] as string,
      "pass in quick on nc0 all tag netcombiner-nc0",
      "pass in quick on ! nc0 inet from 10.1.0.0/16 to { 10.47.25.0/24, 192.168.50.10 }",
      "block in quick on ! nc0 inet from ! self to { 10.47.25.0/24, 192.168.50.10 }",
      "block in quick on ! nc0 inet6 from ! self to { fd47:25::/64, fd50::10 }",
      "EOF",
    ]);
    expect(undoneLines(steps)).toEqual([
      "pfctl -q -a netcombiner/nc0 -F rules",
      "pfctl -q -a netcombiner/nc0 -F nat",
      "sysctl net.inet.ip.forwarding=0",
      "route -q delete -inet6 -host fd50::10 -interface nc0",
      "route -q delete -inet -host 192.168.50.10 -interface nc0",
    ]);
  });

  test("sends a LAN through the tunnel, and each link's packets by its own router", () => {
    const request = requestOf(
      "Role = local\nLanInterface = lan\nAddress = 10.47.25.2/24\nOpenNetworks = 10.2.0.0/16\nForward = tcp/8443 -> 192.168.50.10:443",
    );
    expect(doneLines(planFreebsd(request, LOCAL))).toEqual([
      "sysctl net.inet.ip.forwarding=1",
      "pfctl -q -e",
      "pfctl -q -a netcombiner/nc0 -f - <<'EOF'",
      "nat on nc0 inet from lan:network to any -> 10.47.25.2",
      "pass out quick route-to (wan0 10.77.0.1) inet from 10.77.0.2 to ! 10.77.0.0/24",
      "pass out quick route-to (wan1 10.77.1.1) inet from 10.77.1.2 to ! 10.77.1.0/24",
      "pass in quick on lan inet from any to { 192.168.50.0/24, 10.77.0.0/24, 10.77.1.0/24 }",
      "pass in quick on lan route-to (nc0 10.47.25.2) inet from lan:network to ! self",
      "pass out quick on nc0 all keep state",
      "pass in quick on nc0 inet from any to 10.2.0.0/16",
      "pass in quick on nc0 inet proto tcp from any to 192.168.50.10 port 443",
      "pass in quick on nc0 inet proto icmp from any to 10.47.25.2 icmp-type echoreq",
      "pass in quick on nc0 inet proto tcp from any to 10.47.25.2 port 4726",
      "block in quick on nc0 all",
      "EOF",
    ]);
  });

  test("brings the client with the remote portal's address through the tunnel and back", () => {
    const request = requestOf("Role = local\nLanInterface = lan\nClientAddress = 203.0.113.1");
    const rules = doneLines(planFreebsd(request, LOCAL)).filter((line) => line.startsWith("pass"));
    expect(rules.slice(2, 6)).toEqual([
      "pass in quick on lan route-to (nc0 203.0.113.1) inet from 203.0.113.1 to ! self no state",
      "pass out quick on nc0 inet from 203.0.113.1 to any no state",
      "pass in quick on nc0 route-to (lan 203.0.113.1) inet from any to 203.0.113.1 no state",
      "pass out quick on lan inet from any to 203.0.113.1 no state",
    ]);
  });

  test("sends the host itself through the tunnel, but not its links and name servers", () => {
    const peers = "[Peer]\nRemoteHost = 203.0.113.1\nLocalInterface = wan0";
    const request = requestOf("Role = local\nAddress = 10.47.25.2/24", peers);
    expect(doneLines(planFreebsd(request, LOCAL)).slice(0, 4)).toEqual([
      "route -q add -inet -host 203.0.113.1 10.77.0.1",
      "route -q add -inet -host 9.9.9.9 10.77.0.1",
      "route -q add -inet -net 0.0.0.0/1 -interface nc0",
      "route -q add -inet -net 128.0.0.0/1 -interface nc0",
    ]);
    const loose = requestOf("Role = local\nAddress = 10.47.25.2/24", "[Peer]\nRemoteHost = a.example");
    expect(() => planFreebsd(loose, LOCAL)).toThrow("link udp0 needs LocalInterface or LocalHost");
  });

  test("only routes without a role, and needs no pf for that", () => {
    const request = requestOf(`${INNER}PeerNetworks = 192.168.60.0/24, fd60::/64`);
    const bare = { ...REMOTE, pf: { isEnabled: false, missingAnchors: ANCHORS } };
    expect(doneLines(planFreebsd(request, bare))).toEqual([
      "route -q add -inet -net 192.168.60.0/24 -interface nc0",
      "route -q add -inet6 -net fd60::/64 -interface nc0",
    ]);
    expect(doneLines(planFreebsd(requestOf(`${INNER}Table = off\nPeerNetworks = 10.0.0.0/8`), bare))).toEqual([]);
  });

  test("says what pf.conf lacks", () => {
    const bare = { ...REMOTE, pf: { isEnabled: true, missingAnchors: ANCHORS } };
    expect(() => planFreebsd(requestOf(`Role = remote\n${INNER}`), bare)).toThrow(
      `with pfctl -f /etc/pf.conf\n  ${ANCHORS.join("\n  ")}`,
    );
  });

  test("is done and undone in full by the runner", async () => {
    const folder = mkdtempSync(join(tmpdir(), "netcombiner-freebsd-"));
    const request = requestOf(`Role = local\nLanInterface = lan\n${INNER}PostUp = echo %i\nPostDown = gone %i`);
    const steps = planFreebsd(request, LOCAL);
    const told: string[] = [];
    const system = new HostSystem({
      name: "nc0",
      journalPath: join(folder, "nc0.undo"),
      print: (_kind, text) => void told.push(...text.split("\n")),
      run: async () => undefined,
      plan: async () => steps,
    });
    await system.configure(request.configuration);
    await system.finish();
    rmSync(folder, { recursive: true });
    expect(told).toEqual([...doneLines(steps), "echo nc0", ...undoneLines(steps)]);
  });

  test("tells how the interface is made by hand", () => {
    expect(freebsdInterfaceCommands(requestOf("Address = 10.47.25.2/24"))).toEqual([
      "/sbin/ifconfig nc0 mtu 1400",
      "/sbin/ifconfig nc0 inet6 -accept_rtadv no_radr -auto_linklocal",
      "/sbin/ifconfig nc0 inet 10.47.25.2/24 10.47.25.2 alias",
      "/sbin/route -q add -net 10.47.25.0/24 -interface nc0",
      "/sbin/ifconfig nc0 up",
    ]);
  });
});

describe("What FreeBSD says of itself", () => {
  test("is read from the routing table, leases, resolv.conf and pf", () => {
    const table = [
      "Routing tables",
      "",
      "Internet:",
      "Destination        Gateway            Flags         Netif Expire",
      "default            10.77.0.1          UGS            em0",
      "10.77.0.0/24       link#1             U              em0",
      "default            link#3             US             nc0",
    ].join("\n");
    expect(parseGateways(4, table)).toEqual([{ family: 4, device: "em0", address: "10.77.0.1" }]);
    const leases = "lease {\n  option routers 10.0.0.1;\n}\nlease {\n  option routers 10.0.0.254;\n}\n";
    expect(parseLease("em1", leases)).toEqual([{ family: 4, device: "em1", address: "10.0.0.254" }]);
    expect(parseLease("em1", "")).toEqual([]);
    expect(parseNameServers("search x\nnameserver 9.9.9.9\n nameserver fd00::53\n")).toEqual(["9.9.9.9", "fd00::53"]);
    const rules = 'nat-anchor "netcombiner/*" all\nrdr-anchor "netcombiner/*" all\n\nanchor "netcombiner/*" all\n';
    expect(parsePf("Status: Enabled for 0 days 00:00:10", rules)).toEqual({ isEnabled: true, missingAnchors: [] });
    expect(parsePf("", "pass all")).toEqual({ isEnabled: false, missingAnchors: [...ANCHORS] });
  });
});
