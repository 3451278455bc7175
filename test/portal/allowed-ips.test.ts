import { describe, expect, test } from "bun:test";
import type { AllowedNetwork } from "../../src/portal/allowed-ips.ts";
import type { TunnelSettings } from "../../src/portal/settings.ts";
import { CLASS, DATA_SIZE, writeData } from "../../src/wire/data.ts";
import { packetBetween, ports } from "../support/packets/build.ts";
import { linkSettings } from "../support/portal-end.ts";
import { contentOf, slotWith } from "../support/slots.ts";
import { End, Pair } from "./pair.ts";

const [ICMP, UDP, ICMPV6] = [1, 17, 58];
const peers = (address: string, prefix: number): AllowedNetwork => ({ address, prefix, isPeers: true });
const own = (address: string, prefix: number): AllowedNetwork => ({ address, prefix, isPeers: false });

/** As a remote portal has it that does NAT, and as a local portal that sends the Internet. */
const REMOTE = [peers("10.47.25.0", 24), peers("fd47:25::", 64), own("10.47.25.1", 32), own("fd47:25::1", 128)];
const LOCAL = [peers("0.0.0.0", 0), peers("::", 0), own("10.47.25.2", 32), own("fd47:25::2", 128)];

/** `a` is the local portal, `b` the remote one; each allows what it is given. */
function connected(local?: readonly AllowedNetwork[], remote?: readonly AllowedNetwork[]): Pair {
  const settings = (allowedIps?: readonly AllowedNetwork[]): Partial<TunnelSettings> => ({ allowedIps });
  const pair = new Pair(new End("192.0.2.1", 1, settings(local)), new End("192.0.2.2", 2, settings(remote)));
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
  pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
  pair.run(200_000);
  return pair;
}

const udp = (source: string, destination: string) => packetBetween(source, destination, UDP, ports(1_000, 2_000, 40));

function send(pair: Pair, from: End, packets: readonly Uint8Array[]): void {
  for (const packet of packets) from.offer(pair.now, packet);
  pair.run(50_000);
}

/** Returns a datagram of `b` that carries `packet` unseen by the checks of its portal. */
function datagramWith(pair: Pair, packet: Uint8Array): Uint8Array {
  const { pool, portal } = pair.b;
  const message = new Uint8Array(DATA_SIZE + packet.length);
  writeData(new DataView(message.buffer), 0, 0, 5, CLASS.IMMEDIATE, 0);
  message.set(packet, DATA_SIZE);
  const slot = slotWith(pool, message);
  portal.paths[0]?.seal(pair.now, pool, slot, true);
  const datagram = contentOf(pool, slot);
  pool.release(slot);
  return datagram;
}

const dropsOf = (end: End, pair: Pair) => end.portal.snapshot(pair.now).drops;

describe("What comes out of the tunnel", () => {
  test("has a source of the peer at the remote portal, IPv4 and IPv6", () => {
    // A local portal that allows everything stands for one that an attacker controls.
    const pair = connected(undefined, REMOTE);
    const good = [udp("10.47.25.2", "198.51.100.9"), udp("fd47:25::2", "2001:db8::9")];
    const spoofed = ["172.17.0.5", "8.8.8.8", "10.47.25.1"].map((source) => udp(source, "198.51.100.9"));
    const spoofedSix = ["2001:db8::66", "fd47:26::2", "fd47:25::1"].map((source) => udp(source, "2001:db8::9"));
    send(pair, pair.a, [...spoofed, ...good, ...spoofedSix]);
    expect(pair.b.delivered).toEqual(good);
    expect(dropsOf(pair.b, pair)).toEqual({ "packet-source": 6 });
  });

  test("has any source but this side's at the local portal", () => {
    const pair = connected(LOCAL, undefined);
    const good = ["8.8.8.8", "10.47.25.1", "192.168.7.7"].map((source) => udp(source, "10.47.25.2"));
    send(pair, pair.b, [udp("10.47.25.2", "10.47.25.2"), ...good, udp("fd47:25::2", "fd47:25::2")]);
    expect(pair.a.delivered).toEqual(good);
    expect(dropsOf(pair.a, pair)).toEqual({ "packet-source": 2 });
  });

  test("is nothing that neighbours say to each other, whatever is allowed", () => {
    const pair = connected();
    const message = (type: number) => Uint8Array.from([type, 0, 0, 0, 0, 0, 0, 0]);
    const advertisement = packetBetween("fe80::1", "ff02::1", ICMPV6, message(134));
    const redirect = packetBetween("10.47.25.1", "10.47.25.2", ICMP, message(5));
    send(pair, pair.b, [advertisement, redirect]);
    expect(pair.a.delivered).toEqual([]);
    expect(dropsOf(pair.b, pair)).toEqual({ "packet-neighbour": 2 });
    // A portal that an attacker controls would have sent them: put into datagrams by hand.
    for (const packet of [advertisement, redirect]) pair.inject(pair.a, datagramWith(pair, packet), pair.b.address);
    expect(pair.a.delivered).toEqual([]);
    expect(dropsOf(pair.a, pair)).toEqual({ "packet-neighbour": 2 });
  });

  test("may be a ping, an ICMP error or a word on the MTU", () => {
    const pair = connected(LOCAL, REMOTE);
    const message = (type: number) => Uint8Array.from([type, 0, 0, 0, 0, 0, 5, 0]);
    const toRemote = [
      packetBetween("10.47.25.2", "10.47.25.1", ICMP, message(8)),
      packetBetween("10.47.25.2", "198.51.100.9", ICMP, message(3)),
      packetBetween("fd47:25::2", "2001:db8::9", ICMPV6, message(2)),
    ];
    const toLocal = [
      packetBetween("198.51.100.1", "10.47.25.2", ICMP, message(11)),
      packetBetween("2001:db8::1", "fd47:25::2", ICMPV6, message(2)),
      packetBetween("fd47:25::1", "fd47:25::2", ICMPV6, message(129)),
    ];
    send(pair, pair.a, toRemote);
    send(pair, pair.b, toLocal);
    expect(pair.b.delivered).toEqual(toRemote);
    expect(pair.a.delivered).toEqual(toLocal);
  });
});

describe("What goes into the tunnel", () => {
  test("has a destination of the peer", () => {
    const pair = connected(undefined, REMOTE);
    const good = [udp("198.51.100.9", "10.47.25.2"), udp("2001:db8::9", "fd47:25::2")];
    const wrong = [
      udp("198.51.100.9", "10.47.26.2"),
      udp("198.51.100.9", "8.8.8.8"),
      udp("2001:db8::9", "2001:db8::8"),
    ];
    send(pair, pair.b, [...wrong, ...good]);
    expect(pair.a.delivered).toEqual(good);
    expect(dropsOf(pair.b, pair)).toEqual({ "packet-destination": 3 });
    expect(dropsOf(pair.a, pair)).toEqual({});
  });

  test("leaves no slot behind when it is dropped", () => {
    const pair = connected(LOCAL, REMOTE);
    send(pair, pair.b, [udp("198.51.100.9", "8.8.8.8"), udp("fe80::1", "ff02::1")]);
    send(pair, pair.a, [udp("8.8.8.8", "198.51.100.9")]);
    expect([pair.a.pool.free, pair.b.pool.free]).toEqual([pair.a.pool.count, pair.b.pool.count]);
  });
});
