import { describe, expect, test } from "bun:test";
import { formatFaults } from "../../src/config/fault.ts";
import { validateConfiguration } from "../../src/config/load.ts";
import { HOST_KEY_NAMES, PEER_KEY_NAMES } from "../../src/config/schema.ts";

const KEY = "VGhpcyBpcyBubyBzZWNyZXQsIHJlcGxhY2UgbWUgIQA=";
const HOST = `[Host]\nSharedKey = ${KEY}\n`;

/** The faults of `text` as a person sees them, without the name of the file. */
function faultsOf(text: string, mode = 0o600): string[] {
  const { faults } = validateConfiguration({ text, mode }, "nc0.conf", () => ({ problem: "no such file" }));
  return formatFaults("nc0.conf", faults).split("\n").filter(Boolean);
}

/** A [Host] with `lines` after its key (line 3 on), and a listener. */
const host = (...lines: string[]) => `${HOST}${lines.join("\n")}\n[Peer]\n`;
/** A good [Host] and one [Peer] with `lines` (line 4 on). */
const peer = (...lines: string[]) => `${HOST}[Peer]\n${lines.join("\n")}\n`;

const initiator = "RemoteHost = 192.0.2.1";

const BAD: readonly (readonly [what: string, text: string, ...faults: string[]])[] = [
  [
    "an empty file",
    "",
    ": Host missing: expected a [Host] section with the key and the addresses",
    ": Peer missing: expected a [Peer] section for each link, at least one",
  ],
  [
    "no key",
    "[Host]\n[Peer]",
    ':1: Host.PrivateKey missing: make one with "netcombiner genkey", or set a SharedKey alone, the same at both portals',
  ],
  ["no peer", HOST, ": Peer missing: expected a [Peer] section for each link, at least one"],
  ["two hosts", `${HOST}[Peer]\n[host]\n`, ":4: Host given twice: the first is on line 1; merge them"],
  ["a section nobody knows", `${HOST}[Peer]\n[Pear]\n`, ":4: [Pear] unknown: did you mean Peer?"],
  ["a section like no other", `${HOST}[Peer]\n[Interface]\n`, ":4: [Interface] unknown: expected one of Host, Peer"],
  ["a line that is nothing", peer("hello"), ':4: syntax: expected "[Section]" or "Key = value"'],
  ["a section not closed", `${HOST}[Peer\n[Peer]\n`, ':3: syntax: expected "[Section]" or "Key = value"'],
  [
    "a key before any section",
    `MTU = 1400\n${HOST}[Peer]\n`,
    ":1: syntax: a key before the first section; put it below [Host] or [Peer]",
  ],
  ["a control character", peer("Name = a\u0007b"), ":4: syntax: the line has a control character; remove it"],
  ["a key that nearly is one", peer("RemotPort = 5"), ":4: Peer[0].RemotPort unknown: did you mean RemotePort?"],
  [
    "a key of the other section",
    host("RemoteHost = a"),
    ":3: Host.RemoteHost unknown: expected one of PrivateKey, PrivateKeyFile, SharedKey, SharedKeyFile, Security, Scheduling, Address, AllowedIPs, MTU, LogLevel, Metrics, Role, Table, FwMark, PreUp, PostUp, PreDown, PostDown, ClientAddress, LanInterface, PeerNetworks, Masquerade, KeepPorts, Forward, OpenNetworks",
  ],
  [
    "a key given twice",
    peer("Metric = 1", "metric = 2"),
    ":5: Peer[0].Metric given twice: the first is on line 4; keep one",
  ],
  [
    "the dissertation's example",
    `${HOST}[Peer]\nLocalPort=1\n[Peer]\nLocalPort = 74523\n`,
    ":6: Peer[1].LocalPort invalid: max 65535; given 74523",
  ],
  [
    "a port that is no number",
    peer("LocalPort = http"),
    ":4: Peer[0].LocalPort invalid: expected a whole number from 0 to 65535; given http",
  ],
  [
    "a negative port",
    peer("LocalPort = -1"),
    ":4: Peer[0].LocalPort invalid: expected a whole number from 0 to 65535; given -1",
  ],
  [
    "a port with a fraction",
    peer("LocalPort = 1.5"),
    ":4: Peer[0].LocalPort invalid: expected a whole number from 0 to 65535; given 1.5",
  ],
  [
    "a port in hexadecimal",
    peer("LocalPort = 0x10"),
    ":4: Peer[0].LocalPort invalid: expected a whole number from 0 to 65535; given 0x10",
  ],
  [
    "a value left out",
    peer("LocalPort ="),
    ":4: Peer[0].LocalPort invalid: expected a whole number from 0 to 65535; given nothing",
  ],
  [
    "a huge number",
    peer(`Metric = ${"9".repeat(80)}`),
    `:4: Peer[0].Metric invalid: max 65535; given ${"9".repeat(60)}...`,
  ],
  ["any port to listen on", peer("LocalPort = 0"), ":4: Peer[0].LocalPort invalid: min 1 without RemoteHost; given 0"],
  ["remote port 0", peer(initiator, "RemotePort = 0"), ":5: Peer[0].RemotePort invalid: min 1; given 0"],
  ["a remote port to nowhere", peer("RemotePort = 5"), ":4: Peer[0].RemotePort invalid: only with RemoteHost; given 5"],
  ["a retry of a listener", peer("RetryWait = 5"), ":4: Peer[0].RetryWait invalid: only with RemoteHost; given 5"],
  [
    "a method nobody has",
    peer("Method = SCTP"),
    ":4: Peer[0].Method invalid: expected one of UDP, TCP, IP; given SCTP",
  ],
  [
    "a port with Method IP",
    peer("Method = IP", "LocalPort = 5"),
    ":5: Peer[0].LocalPort invalid: only with Method UDP or TCP, since IP has no ports; given 5",
  ],
  [
    "a remote port with Method IP",
    peer("Method = ip", initiator, "RemotePort = 5"),
    ":6: Peer[0].RemotePort invalid: only with Method UDP or TCP, since IP has no ports; given 5",
  ],
  ["a protocol with UDP", peer("Protocol = 253"), ":4: Peer[0].Protocol invalid: only with Method IP; given 253"],
  ["protocol 255", peer("Method = IP", "Protocol = 255"), ":5: Peer[0].Protocol invalid: max 254; given 255"],
  ["protocol 0", peer("Method = IP", "Protocol = 0"), ":5: Peer[0].Protocol invalid: min 1; given 0"],
  [
    "a controller on TCP",
    peer("Method = TCP", "Congestion = NewReno"),
    ":5: Peer[0].Congestion invalid: expected none with Method TCP, which has congestion control of its own; given NewReno",
  ],
  [
    "a controller nobody has",
    peer("Congestion = bbr"),
    ":4: Peer[0].Congestion invalid: expected one of rate, newreno, none; given bbr",
  ],
  [
    "a limit without a unit",
    peer("LimitOut = 5M"),
    ':4: Peer[0].LimitOut invalid: expected 64kbit to 10Gbit, with "kbit", "Mbit" or "Gbit"; given 5M',
  ],
  ["a limit too low", peer("LimitIn = 20kbit"), ":4: Peer[0].LimitIn invalid: min 64kbit; given 20kbit"],
  ["a limit too high", peer("LimitIn = 11Gbit"), ":4: Peer[0].LimitIn invalid: max 10Gbit; given 11Gbit"],
  ["a yes that is none", peer("Metered = maybe"), ":4: Peer[0].Metered invalid: expected yes or no; given maybe"],
  ["metric too big", peer("Metric = 65536"), ":4: Peer[0].Metric invalid: max 65535; given 65536"],
  [
    "a host with its port",
    peer("RemoteHost = 192.0.2.1:4725"),
    ":4: Peer[0].RemoteHost invalid: expected no brackets and no port, which RemotePort sets; given 192.0.2.1:4725",
  ],
  [
    "a host in brackets",
    peer("LocalHost = [::1]"),
    ":4: Peer[0].LocalHost invalid: expected no brackets and no port, which LocalPort sets; given [::1]",
  ],
  [
    "an address with a number too big",
    peer("RemoteHost = 192.0.2.256"),
    ":4: Peer[0].RemoteHost invalid: expected an address or a host name; given 192.0.2.256",
  ],
  [
    "a host name with a blank",
    peer("RemoteHost = a b"),
    ":4: Peer[0].RemoteHost invalid: expected an address or a host name; given a b",
  ],
  [
    "no host at all",
    peer("RemoteHost ="),
    ":4: Peer[0].RemoteHost invalid: expected an address or a host name; given nothing",
  ],
  [
    "an interface name too long",
    peer("LocalInterface = abcdefghijklmnop"),
    ":4: Peer[0].LocalInterface invalid: expected an interface name of 1 to 15 letters, digits and _.=+-; given abcdefghijklmnop",
  ],
  [
    "an interface that is a folder",
    peer("LocalInterface = .."),
    ":4: Peer[0].LocalInterface invalid: expected an interface name of 1 to 15 letters, digits and _.=+-; given ..",
  ],
  [
    "a time of another unit",
    peer("KeepAlive = 1h"),
    ':4: Peer[0].KeepAlive invalid: expected 50ms to 600s, in seconds or with "ms" or "s"; given 1h',
  ],
  ["a time too short", peer("KeepAlive = 1ms"), ":4: Peer[0].KeepAlive invalid: min 50ms; given 1ms"],
  ["a time too long", peer("Timeout = 3601"), ":4: Peer[0].Timeout invalid: max 3600s; given 3601"],
  [
    "a timeout before the keepalive",
    peer("KeepAlive = 2s", "Timeout = 2000ms"),
    ":5: Peer[0].Timeout invalid: must be longer than KeepAlive, 2s; given 2000ms",
  ],
  ["a retry without wait", peer(initiator, "RetryWait = 0"), ":5: Peer[0].RetryWait invalid: min 10ms; given 0"],
  [
    "a name as public address",
    peer("PublicAddress = example.net"),
    ":4: Peer[0].PublicAddress invalid: expected an IPv4 or IPv6 address; given example.net",
  ],
  ["a datagram too small", peer("MTU = 500"), ":4: Peer[0].MTU invalid: min 576, or 0; given 500"],
  [
    "a link's name with a blank",
    peer("Name = my link"),
    ":4: Peer[0].Name invalid: expected 1 to 32 letters, digits and _.-; given my link",
  ],
  [
    "a name twice",
    `${peer("Name = a")}[Peer]\nName = a\n${initiator}\n`,
    ":6: Peer[1].Name invalid: must be unique, but Peer[0] has the same; given a",
  ],
  [
    "two listeners on the default port",
    `${peer()}[Peer]\n`,
    ":5: Peer[1].LocalPort invalid: must differ from LocalPort of Peer[0], which listens on the same address; given 4725",
  ],
  [
    "a listener under a wildcard",
    `${peer("LocalHost = 192.0.2.1")}[Peer]\nLocalHost = ::\n`,
    ":5: Peer[1].LocalPort invalid: must differ from LocalPort of Peer[0], which listens on the same address; given 4725",
  ],
  [
    "an initiator on a listener's port",
    `${peer()}[Peer]\n${initiator}\nLocalPort = 4725\n`,
    ":7: Peer[1].LocalPort invalid: must differ from LocalPort of Peer[0], which listens on the same address; given 4725",
  ],
  [
    "two raw listeners",
    `${peer("Method = IP")}[Peer]\nMethod = IP\n`,
    ":5: Peer[1].Protocol invalid: must differ from Protocol of Peer[0], which listens on the same address; given 253",
  ],
  [
    "a security nobody has",
    host("Security = aes"),
    ":3: Host.Security invalid: expected one of auto, aes-256-gcm, chacha20-poly1305, blake2s, none; given aes",
  ],
  [
    "an address without prefix",
    host("Address = 10.0.0.1"),
    ":3: Host.Address invalid: expected an address with prefix length, like 10.47.25.2/24 or fd47::2/64; given 10.0.0.1",
  ],
  [
    "a prefix too long",
    host("Address = 10.0.0.1/33"),
    ":3: Host.Address invalid: expected an address with prefix length, like 10.47.25.2/24 or fd47::2/64; given 10.0.0.1/33",
  ],
  [
    "one bad address of a list",
    host("Address = 10.0.0.1/24, ::1/129"),
    ":3: Host.Address invalid: expected an address with prefix length, like 10.47.25.2/24 or fd47::2/64, unlike ::1/129; given 10.0.0.1/24, ::1/129",
  ],
  ["an MTU too small", host("MTU = 575"), ":3: Host.MTU invalid: min 576; given 575"],
  ["an MTU too big", host("MTU = 65001"), ":3: Host.MTU invalid: max 65000; given 65001"],
  [
    "an MTU too small for IPv6",
    host("Address = fd00::1/64", "MTU = 1279"),
    ":4: Host.MTU invalid: min 1280 with an IPv6 address; given 1279",
  ],
  [
    "a name where metrics are to be served",
    host("Metrics = localhost:9820"),
    ":3: Host.Metrics invalid: expected an address and a port from 1 to 65535, like 127.0.0.1:9820 or [::1]:9820; given localhost:9820",
  ],
  [
    "a place for metrics without a port",
    host("Metrics = 127.0.0.1"),
    ":3: Host.Metrics invalid: expected an address and a port from 1 to 65535, like 127.0.0.1:9820 or [::1]:9820; given 127.0.0.1",
  ],
  [
    "a place for metrics with too large a port",
    host("Metrics = [::1]:65536"),
    ":3: Host.Metrics invalid: expected an address and a port from 1 to 65535, like 127.0.0.1:9820 or [::1]:9820; given [::1]:65536",
  ],
  [
    "an IPv6 address without brackets where metrics are to be served",
    host("Metrics = ::1:9820"),
    ":3: Host.Metrics invalid: expected an address and a port from 1 to 65535, like 127.0.0.1:9820 or [::1]:9820; given ::1:9820",
  ],
  [
    "a level nobody has",
    host("LogLevel = trace"),
    ":3: Host.LogLevel invalid: expected one of error, warn, info, debug; given trace",
  ],
  [
    "key and key file",
    host("SharedKeyFile = a"),
    ":3: Host.SharedKeyFile invalid: only without SharedKey, which is given too; given a",
  ],
  [
    "a key file that is not there",
    "[Host]\nSharedKeyFile = a\n[Peer]\n",
    ":2: Host.SharedKeyFile invalid: no such file; given a",
  ],
  [
    "a key too short",
    "[Host]\nSharedKey = c2VjcmV0\n[Peer]\n",
    ':2: Host.SharedKey invalid: expected 32 bytes as base64, as "netcombiner genpsk" prints; given (hidden)',
  ],
  [
    "a key of zeros",
    `[Host]\nSharedKey = ${"A".repeat(43)}=\n[Peer]\n`,
    ':2: Host.SharedKey invalid: all zeros is no secret, make a key with "netcombiner genpsk"; given (hidden)',
  ],
];

describe("A bad configuration", () => {
  test.each(BAD.map(([what, text, ...faults]) => [what, text, faults] as const))(
    "is refused: %s",
    (_what, text, faults) => {
      expect(faultsOf(text)).toEqual(faults.map((fault) => `nc0.conf${fault}`));
    },
  );

  test("has all its faults told at once, in the order of the file", () => {
    const text = `[Host]\nMTU = 1\nLogLevl = info\n[Peer]\nMetric = x\nRemotePort = 70000\n[Peer]\nMethod = TCP\nProtocol = 9\n`;
    expect(faultsOf(text)).toEqual([
      'nc0.conf:1: Host.PrivateKey missing: make one with "netcombiner genkey", or set a SharedKey alone, the same at both portals',
      "nc0.conf:2: Host.MTU invalid: min 576; given 1",
      "nc0.conf:3: Host.LogLevl unknown: did you mean LogLevel?",
      "nc0.conf:5: Peer[0].Metric invalid: expected a whole number from 0 to 65535; given x",
      "nc0.conf:6: Peer[0].RemotePort invalid: max 65535; given 70000",
      "nc0.conf:9: Peer[1].Protocol invalid: only with Method IP; given 9",
    ]);
  });

  test("names section, key, what was expected and what was given, for every key", () => {
    const texts = [
      ...HOST_KEY_NAMES.map((key) => [`Host.${key}`, `${HOST}${key} = \u00a7\u00a7\n[Peer]\n`] as const),
      ...PEER_KEY_NAMES.map((key) => [`Peer[0].${key}`, peer(`${key} = \u00a7\u00a7`)] as const),
    ];
    // A command and a path may be anything, and a second SharedKey is one too many.
    const isFree = (place: string) => /File$|\.(Pre|Post)(Up|Down)$|\.SharedKey$/.test(place);
    const faults = texts
      .filter(([place]) => !isFree(place))
      .map(([place, text]) => [place, faultsOf(text)[0]] as const);
    const wrong = faults.filter(
      ([place, fault = ""]) =>
        !(fault.includes(`${place} invalid: expected `) && /; given (\u00a7\u00a7|\(hidden\))$/.test(fault)),
    );
    expect(wrong).toEqual([]);
  });

  test("names the item of a list that is wrong, unless it looks like a secret", () => {
    const of = (value: string) => faultsOf(host(`PeerNetworks = 10.0.0.0/8, ${value}`))[0] ?? "";
    expect(of("10.0.0.1/8")).toContain("like 192.168.1.0/24 or fd01::/64, unlike 10.0.0.1/8; given 10.0.0.0/8");
    expect(of("")).toContain("unlike an empty item; given");
    expect(of(KEY)).toEndWith("unlike (hidden); given (hidden)");
  });

  test("never shows a secret, wherever it stands", () => {
    const secret = "c2VjcmV0c2VjcmV0";
    const texts = [
      `[Host]\nSharedKey = ${secret}\n[Peer]\nSharedKey = ${secret}\n`,
      `[Host]\nSharedKye = ${secret}\nSharedKey ${secret}\n`,
      `SharedKey = ${secret}\n`,
      `[Host]\nSharedKey = ${secret}\nSharedKey = ${secret}\n`,
    ];
    for (const text of texts) expect(faultsOf(text, 0o644).join("\n")).not.toContain(secret);
    const misplaced = [
      `[Host]\nSharedKeyFile = ${KEY}\n`,
      `[Host]\n${KEY}\n`,
      `[${KEY.slice(0, 43)}]\n`,
      peer(`Name = ${KEY}`),
    ];
    for (const text of misplaced) expect(faultsOf(text).join("\n")).not.toContain(KEY.slice(0, 20));
  });

  test.each([0o640, 0o604, 0o620, 0o644, 0o777])("is one that holds a key and has mode %o", (mode) => {
    const shown = mode.toString(8).padStart(4, "0");
    expect(faultsOf(peer(), mode)).toEqual([
      `nc0.conf: holds a key and is open to others (mode ${shown}): chmod 600 nc0.conf`,
    ]);
  });

  test("is one whose key file others can read, or that holds no key", () => {
    const text = "[Host]\nSharedKeyFile = nc0.key\n[Peer]\n";
    const validate = (mode: number, key: string) =>
      validateConfiguration({ text, mode: 0o644 }, "/etc/nc0.conf", () => ({ text: key, mode })).faults.map(
        (f) => f.text,
      );
    expect(validate(0o640, KEY)).toEqual([
      "Host.SharedKeyFile invalid: open to others (mode 0640), chmod 600 the file; given nc0.key",
    ]);
    expect(validate(0o600, "x\n")).toEqual([
      'Host.SharedKeyFile invalid: content of the file: expected 32 bytes as base64, as "netcombiner genpsk" prints; given nc0.key',
    ]);
    expect(validate(0o600, `${KEY}\n`)).toEqual([]);
  });
});
