import { describe, expect, test } from "bun:test";
import { planLinux } from "../../src/host/linux/plan.ts";
import { type LinuxState, readRoute } from "../../src/host/linux/state.ts";
import { doneLines, requestOf, SSH, undoneLines } from "./plans.ts";

const SYSCTLS: Readonly<Record<string, string>> = {
  "net/ipv4/ip_forward": "0",
  "net/ipv6/conf/all/forwarding": "0",
  "net/ipv4/conf/all/rp_filter": "0",
  "net/ipv4/conf/default/rp_filter": "0",
};

interface StatePlan {
  readonly addresses?: readonly (readonly [device: string, address: string, prefix: number])[];
  /** Default routes: [device, gateway]. */
  readonly ways?: readonly (readonly [device: string, gateway: string])[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly more?: Partial<LinuxState>;
}

function stateOf({ addresses = [], ways = [], sysctls = {}, more = {} }: StatePlan): LinuxState {
  const all: Readonly<Record<string, string>> = { ...SYSCTLS, ...sysctls };
  const familyOf = (text: string) => (text.includes(":") ? 6 : 4) as 4 | 6;
  return {
    addresses: addresses.map(([device, address, prefix]) => ({ family: familyOf(address), device, address, prefix })),
    routes: ways.map(([device, gateway]) => ({
      family: familyOf(gateway),
      table: 254,
      to: "default",
      gateway,
      device,
      isOnLink: false,
    })),
    rules: [
      { family: 4, priority: 0, table: 255 },
      { family: 6, priority: 0, table: 255 },
    ],
    sysctl: (key) => all[key],
    sysctlNames: (folder) => [
      ...new Set(
        Object.keys(all).flatMap((key) =>
          key.startsWith(`${folder}/`) ? [key.slice(folder.length + 1).split("/")[0] as string] : [],
        ),
      ),
    ],
    ...more,
  };
}

const REMOTE = stateOf({
  addresses: [
    ["eth0", "203.0.113.1", 24],
    ["eth0", "2001:db8::2", 64],
  ],
  ways: [
    ["eth0", "203.0.113.254"],
    ["eth0", "fe80::1"],
  ],
});

const LOCAL = stateOf({
  addresses: [
    ["lan", "192.168.50.1", 24],
    ["wan0", "10.77.0.2", 24],
    ["wan1", "10.77.1.2", 24],
  ],
  ways: [
    ["wan0", "10.77.0.1"],
    ["wan1", "10.77.1.1"],
  ],
});

const LINKS =
  "[Peer]\nRemoteHost = 203.0.113.1\nLocalInterface = wan0\n[Peer]\nRemoteHost = 203.0.113.1\nLocalInterface = wan1";

/** What is closed to the tunnel at the remote portal. */
const CLOSED = [
  'iifname "nc0" ip daddr { 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 } counter drop',
  'iifname "nc0" ip6 daddr { fc00::/7, fe80::/10 } counter drop',
];

/** Rules of nftables without their table and chains. */
function nftRules(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith("    ") && !line.includes(" hook ")).map((line) => line.trim());
}

describe("The plan for Linux", () => {
  test("keeps at the remote portal what is its own, the present SSH session too", () => {
    const peers = "[Peer]\n[Peer]\nMethod = TCP\nLocalPort = 443\n[Peer]\nMethod = IP";
    const request = requestOf(
      "Role = remote\nClientAddress = 203.0.113.1\nKeepPorts = tcp/22, udp/60000-61000",
      peers,
      SSH,
    );
    const rules = nftRules(doneLines(planLinux(request, REMOTE)));
    expect(rules).toEqual([
      'iifname { "eth0" } tcp dport { 22, 443, 2222 } ct mark set 0x1275',
      'iifname { "eth0" } udp dport { 4725, 60000-61000 } ct mark set 0x1275',
      'iifname { "eth0" } meta l4proto { 253 } ct mark set 0x1275',
      'iifname { "eth0" } ct mark 0x1275 meta mark set 0x1275',
      "icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } meta mark set 0x1275",
      'oifname != "nc0" ct state new ct mark set 0x1275',
      'iifname "nc0" ct state established,related accept',
      ...CLOSED,
      "ct state established,related accept",
      "ct status dnat accept",
      'iifname "nc0" oifname "nc0" accept',
      ...CLOSED,
    ]);
  });

  test("moves the rule for local addresses last, and back first", () => {
    const steps = planLinux(requestOf("Role = remote\nClientAddress = 203.0.113.1"), REMOTE);
    expect(doneLines(steps).slice(-2)).toEqual([
      "ip -4 rule add from all lookup local priority 3 protocol 47",
      "ip -4 rule del from all lookup local priority 0",
    ]);
    expect(undoneLines(steps).slice(0, 2)).toEqual([
      "ip -4 rule add from all lookup local priority 0 protocol kernel",
      "ip -4 rule del from all lookup local priority 3 protocol 47",
    ]);
  });

  test("finds the interface of an address that is only routed to the host, or says that there is none", () => {
    const request = requestOf("Role = remote\nClientAddress = 192.0.2.9");
    expect(doneLines(planLinux(request, REMOTE))).toContain(
      "ip -4 rule add to 192.0.2.9 iif eth0 lookup 4725 priority 2 protocol 47",
    );
    expect(() => planLinux(request, stateOf({}))).toThrow("no interface has the address 192.0.2.9 or a default route");
  });

  test("goes on accepting router advertisements where packets are forwarded, but not from the LAN, the tunnel or later interfaces", () => {
    const state = {
      ...LOCAL,
      ...stateOf({
        sysctls: {
          "net/ipv6/conf/all/accept_ra": "1",
          "net/ipv6/conf/default/accept_ra": "1",
          "net/ipv6/conf/docker0/accept_ra": "1",
          "net/ipv6/conf/docker0/forwarding": "1",
          "net/ipv6/conf/lan/accept_ra": "1",
          "net/ipv6/conf/managed/accept_ra": "0",
          "net/ipv6/conf/nc0/accept_ra": "1",
          "net/ipv6/conf/wan0/accept_ra": "1",
        },
      }),
    };
    const steps = planLinux(requestOf("Role = local\nAddress = fd47::2/64\nLanInterface = lan"), state);
    expect(doneLines(steps).filter((line) => line.startsWith("sysctl -w net/ipv6"))).toEqual([
      "sysctl -w net/ipv6/conf/wan0/accept_ra=2",
      "sysctl -w net/ipv6/conf/all/forwarding=1",
    ]);
    expect(undoneLines(steps).slice(-4)).toEqual([
      "sysctl -w net/ipv6/conf/all/forwarding=0",
      "sysctl -w net/ipv6/conf/docker0/forwarding=1",
      "sysctl -w net/ipv6/conf/wan0/accept_ra=1",
      "nft delete table inet netcombiner-nc0",
    ]);
  });

  test("puts back what the kernel changes with forwarding", () => {
    const state = stateOf({
      sysctls: {
        "net/ipv4/conf/all/accept_redirects": "0",
        "net/ipv4/conf/all/forwarding": "0",
        "net/ipv4/conf/docker0/forwarding": "1",
        "net/ipv4/conf/eth0/forwarding": "0",
      },
    });
    const steps = planLinux(requestOf("Role = remote\nAddress = 10.47.25.1/24\nMasquerade = off"), state);
    expect(undoneLines(steps)).toEqual([
      "nft delete table inet netcombiner-nc0",
      "sysctl -w net/ipv4/ip_forward=0",
      "sysctl -w net/ipv4/conf/docker0/forwarding=1",
      "sysctl -w net/ipv4/conf/all/accept_redirects=0",
    ]);
  });

  test("forwards ports, but not those of the present SSH session", () => {
    const keys = "PeerNetworks = 192.168.50.0/24\nForward = tcp/22 -> 192.168.50.10, tcp/8443 -> [fd50::10]:443";
    const request = requestOf(`Role = remote\nAddress = 10.47.25.1/24, fd47::1/64\n${keys}`, "[Peer]", SSH);
    const lines = doneLines(planLinux(request, REMOTE));
    expect(lines.filter((line) => line.includes(" route "))).toEqual([
      "ip -4 route add 192.168.50.0/24 dev nc0 proto 47",
      "ip -6 route add fd50::10 dev nc0 proto 47",
    ]);
    expect(nftRules(lines)).toEqual([
      "ip saddr 198.51.100.77 tcp sport 50000 tcp dport 2222 accept",
      "fib daddr type local ip daddr != { 10.47.25.1 } tcp dport 22 dnat ip to 192.168.50.10",
      "fib daddr type local ip6 daddr != { fd47::1 } tcp dport 8443 dnat ip6 to [fd50::10]:443",
      'iifname "nc0" ct state established,related accept',
      'iifname "nc0" ip daddr { 10.47.25.1/32 } accept',
      'iifname "nc0" ip6 daddr { fd47::1/128 } accept',
      ...CLOSED,
      "ct state established,related accept",
      "ct status dnat accept",
      'iifname "nc0" oifname "nc0" accept',
      ...CLOSED,
      'iifname != "nc0" oifname "nc0" ct state new meta nfproto ipv4 counter drop',
      'iifname != "nc0" oifname "nc0" ct state new ip6 daddr fc00::/7 counter drop',
      'iifname "nc0" oifname != "nc0" meta nfproto ipv4 masquerade',
      'iifname "nc0" oifname != "nc0" ip6 saddr fc00::/7 masquerade',
      'iifname "nc0" oifname "nc0" ct status dnat masquerade',
    ]);
  });

  test("gives links their ways before a LAN goes through the tunnel", () => {
    const request = requestOf("Role = local\nLanInterface = lan\nAddress = 10.47.25.2/24", LINKS);
    const strict = { ...LOCAL, sysctl: (key: string) => (key.endsWith("/rp_filter") ? "1" : LOCAL.sysctl(key)) };
    expect(doneLines(planLinux(request, strict))).toEqual([
      "nft -f - <<'EOF'",
      "table inet netcombiner-nc0",
      "delete table inet netcombiner-nc0",
      "table inet netcombiner-nc0 {",
      "  chain input {",
      "    type filter hook input priority filter; policy accept;",
      '    iifname "nc0" ct state established,related accept',
      '    iifname "nc0" icmp type echo-request accept',
      '    iifname "nc0" icmpv6 type echo-request accept',
      '    iifname "nc0" ip daddr 10.47.25.2 tcp dport 4726 accept',
      '    iifname "nc0" counter drop',
      "  }",
      "  chain forward {",
      "    type filter hook forward priority filter; policy accept;",
      '    iifname "nc0" ct state established,related accept',
      '    iifname "nc0" counter drop',
      "  }",
      "  chain postrouting {",
      "    type nat hook postrouting priority srcnat; policy accept;",
      '    iifname { "lan" } oifname "nc0" meta nfproto ipv4 masquerade',
      "  }",
      "}",
      "EOF",
      "sysctl -w net/ipv4/ip_forward=1",
      "sysctl -w net/ipv4/conf/nc0/rp_filter=2",
      "sysctl -w net/ipv4/conf/lan/rp_filter=2",
      "sysctl -w net/ipv4/conf/wan0/rp_filter=2",
      "sysctl -w net/ipv4/conf/wan1/rp_filter=2",
      "ip -4 route add default via 10.77.0.1 dev wan0 table 4726 proto 47",
      "ip -4 rule add from 10.77.0.2 lookup main suppress_prefixlength 0 priority 4702 protocol 47",
      "ip -4 rule add from 10.77.0.2 lookup 4726 priority 4703 protocol 47",
      "ip -4 route add default via 10.77.1.1 dev wan1 table 4727 proto 47",
      "ip -4 rule add from 10.77.1.2 lookup main suppress_prefixlength 0 priority 4702 protocol 47",
      "ip -4 rule add from 10.77.1.2 lookup 4727 priority 4703 protocol 47",
      "ip -4 rule add fwmark 0x1275 lookup main priority 4711 protocol 47",
      "ip -4 route add default dev nc0 table 4725 proto 47",
      "ip -4 route add blackhole default metric 9999 table 4725 proto 47",
      "ip -4 rule add iif lan lookup main suppress_prefixlength 0 priority 4712 protocol 47",
      "ip -4 rule add iif lan lookup 4725 priority 4713 protocol 47",
    ]);
  });

  test("keeps links apart that lie on one subnet, and stops ARP flux", () => {
    const state = stateOf({
      addresses: [
        ["wan0", "10.10.0.2", 24],
        ["wan1", "10.10.0.3", 24],
      ],
      ways: [
        ["wan0", "10.10.0.1"],
        ["wan1", "10.10.0.1"],
      ],
      sysctls: { "net/ipv4/conf/all/arp_announce": "0", "net/ipv4/conf/all/arp_ignore": "0" },
    });
    const lines = doneLines(planLinux(requestOf("Role = local\nAddress = 10.47.25.2/24", LINKS), state));
    expect(lines.slice(lines.indexOf("EOF") + 1).slice(0, 7)).toEqual([
      "sysctl -w net/ipv4/conf/all/arp_announce=1",
      "sysctl -w net/ipv4/conf/all/arp_ignore=1",
      "ip -4 route add 10.10.0.0/24 dev wan0 table 4726 proto 47",
      "ip -4 route add default via 10.10.0.1 dev wan0 table 4726 proto 47",
      "ip -4 rule add from 10.10.0.2 lookup 4726 suppress_prefixlength 0 priority 4701 protocol 47",
      "ip -4 rule add from 10.10.0.2 lookup main suppress_prefixlength 0 priority 4702 protocol 47",
      "ip -4 rule add from 10.10.0.2 lookup 4726 priority 4703 protocol 47",
    ]);
  });

  test("names the network of an IPv6 link, whose addresses change", () => {
    const state = stateOf({ addresses: [["wan0", "2001:db8:1::abcd", 64]], ways: [["wan0", "fe80::1"]] });
    const lines = doneLines(planLinux(requestOf("Role = local\nAddress = fd47::2/64"), state));
    expect(lines).toContain("ip -6 rule add from 2001:db8:1::/64 lookup 4726 priority 4703 protocol 47");
  });

  test("brings the client with the remote portal's address through the tunnel and back", () => {
    const request = requestOf("Role = local\nLanInterface = lan\nClientAddress = 203.0.113.1", LINKS);
    expect(doneLines(planLinux(request, LOCAL)).slice(-4)).toEqual([
      "ip -4 route add 203.0.113.1 dev lan table 4728 proto 47",
      "ip -4 rule add to 203.0.113.1 iif nc0 lookup 4728 priority 4714 protocol 47",
      "ip -4 rule add from 203.0.113.1 iif lan lookup main suppress_prefixlength 0 priority 4712 protocol 47",
      "ip -4 rule add from 203.0.113.1 iif lan lookup 4725 priority 4713 protocol 47",
    ]);
  });

  test("takes the table and mark of the configuration, and else tables that nothing uses", () => {
    const keys = "Role = local\nAddress = 10.47.25.2/24";
    const own = doneLines(planLinux(requestOf(`${keys}\nTable = 51\nFwMark = 0xca`), LOCAL));
    expect(own.at(-1)).toBe("ip -4 rule add not fwmark 0xca lookup 51 priority 4713 protocol 47");
    const taken = { ...LOCAL, rules: [{ family: 4 as const, priority: 9, table: 4725 }] };
    expect(doneLines(planLinux(requestOf(keys), taken)).at(-1)).toContain("lookup 4726 ");
    const off = doneLines(planLinux(requestOf(`${keys}\nTable = off\nPeerNetworks = 10.0.0.0/8`), LOCAL));
    expect(off.filter((line) => line.startsWith("ip "))).toEqual([]);
  });

  test("opens networks at either portal, to hosts behind the tunnel and from them", () => {
    const open = "Address = 10.47.25.1/24\nOpenNetworks = 10.8.0.0/16, fd08::/32";
    const remote = nftRules(doneLines(planLinux(requestOf(`Role = remote\n${open}`), REMOTE)));
    const into = ['iifname "nc0" ip daddr { 10.8.0.0/16 } accept', 'iifname "nc0" ip6 daddr { fd08::/32 } accept'];
    expect(remote.filter((rule) => rule.includes("{ 10.8.0.0/16 }") || rule.includes("{ fd08::/32 }"))).toEqual([
      ...into,
      ...into,
      'iifname != "nc0" oifname "nc0" ip saddr { 10.8.0.0/16 } accept',
      'iifname != "nc0" oifname "nc0" ip6 saddr { fd08::/32 } accept',
    ]);
    const forward = "Forward = tcp/8443 -> [fd50::10]:443, udp/5000-5010 -> 192.168.50.10";
    const request = requestOf(`Role = local\nLanInterface = lan\n${forward}\n${open}`, LINKS);
    const local = nftRules(doneLines(planLinux(request, LOCAL)));
    expect(local.slice(local.indexOf('iifname "nc0" counter drop') + 1, -1)).toEqual([
      'iifname "nc0" ct state established,related accept',
      ...into,
      'iifname "nc0" ip6 daddr fd50::10 tcp dport 443 accept',
      'iifname "nc0" ip daddr 192.168.50.10 udp dport 5000-5010 accept',
      'iifname "nc0" counter drop',
    ]);
  });

  test("lets what is for the client out of the tunnel at the local portal", () => {
    const request = requestOf("Role = local\nLanInterface = lan\nClientAddress = 203.0.113.1", LINKS);
    const rules = nftRules(doneLines(planLinux(request, LOCAL)));
    expect(rules).toContain('iifname "nc0" ip daddr { 203.0.113.1/32 } accept');
    expect(rules.at(-1)).toBe('iifname "nc0" counter drop');
  });

  test("is nothing without a role but routes to the peer's networks", () => {
    expect(planLinux(requestOf("Address = 10.47.25.2/24"), LOCAL)).toEqual([]);
    const routed = requestOf("Address = 10.47.25.2/24\nPeerNetworks = 10.9.0.0/16\nTable = 77");
    expect(doneLines(planLinux(routed, LOCAL))).toEqual(["ip -4 route add 10.9.0.0/16 dev nc0 table 77 proto 47"]);
  });
});

describe("A route as ip(8) tells it", () => {
  test("is one for each next hop", () => {
    const hops = [
      { gateway: "10.0.0.1", dev: "wan0", flags: ["onlink"] },
      { gateway: "10.1.0.1", dev: "wan1", flags: [] },
    ];
    expect(readRoute(4, { dst: "default", protocol: "9", nexthops: hops })).toMatchObject([
      { table: 254, to: "default", gateway: "10.0.0.1", device: "wan0", isOnLink: true },
      { gateway: "10.1.0.1", device: "wan1", isOnLink: false },
    ]);
    expect(readRoute(6, { type: "6", dst: "default", table: "50" })).toMatchObject([{ table: 50, device: "" }]);
  });
});
