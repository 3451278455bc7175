import { describe, expect, test } from "bun:test";
import { createEndpoint, parseEndpoint } from "../../src/endpoint.ts";
import { CLOSE_REASON, CLOSE_SIZE, writeClose } from "../../src/wire/close.ts";
import { DIAGNOSIS, encodeDiagnosis } from "../../src/wire/diagnosis.ts";
import { udpPacket } from "../support/packets/build.ts";
import { linkSettings } from "../support/portal-end.ts";
import { contentOf, slotWith } from "../support/slots.ts";
import { End, Pair } from "./pair.ts";

function connectedPair(links = 1, more = {}): Pair {
  const pair = new Pair();
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen", more));
  for (let i = 0; i < links; i++) pair.a.portal.addLink(pair.now, linkSettings(i, "initiate", more));
  pair.run(200_000);
  return pair;
}

const idOf = (packet: Uint8Array): number => new DataView(packet.buffer).getUint32(28);

describe("Portal", () => {
  test("brings every link up with one exchange each", () => {
    const pair = connectedPair(3);
    expect(pair.a.portal.paths.map((path) => path.state)).toEqual(["up", "up", "up"]);
    expect(pair.b.portal.paths.map((path) => path.state)).toEqual(["up", "up", "up"]);
    expect(pair.a.portal.snapshot(pair.now).links.map((link) => link.ups)).toEqual([1, 1, 1]);
  });

  test("carries packets unchanged both ways", () => {
    const pair = connectedPair(2);
    for (let i = 0; i < 50; i++) {
      pair.a.offer(pair.now, udpPacket(i));
      pair.b.offer(pair.now, udpPacket(1000 + i));
      pair.run(1_000);
    }
    pair.run(100_000);
    expect(pair.b.delivered).toEqual(Array.from({ length: 50 }, (_, i) => udpPacket(i)));
    expect(pair.a.delivered.map(idOf).sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => 1000 + i));
  });

  test("leaves no slot behind", () => {
    const pair = connectedPair(2);
    for (let i = 0; i < 100; i++) pair.a.offer(pair.now, udpPacket(i, 1400));
    pair.run(2_000_000);
    expect(pair.b.delivered).toHaveLength(100);
    expect(pair.a.pool.free).toBe(pair.a.pool.count);
    expect(pair.b.pool.free).toBe(pair.b.pool.count);
  });

  test("measures the round-trip time of the link", () => {
    const pair = connectedPair();
    pair.run(3_000_000);
    expect(pair.a.portal.paths[0]?.rtt.measured).toBeWithin(10_000, 10_500);
  });

  test("moves to the other link when one goes silent, and back", () => {
    const pair = connectedPair(2);
    pair.cut.add(0);
    let sent = 0;
    const send = (ms: number): void => {
      for (let i = 0; i < ms; i++) {
        pair.a.offer(pair.now, udpPacket(sent++));
        pair.run(1_000);
      }
    };
    send(1_000);
    expect(pair.a.portal.paths.find((path) => path.link === 0)?.state).not.toBe("up");
    const before = pair.b.delivered.length;
    send(500);
    expect(pair.b.delivered.length - before).toBe(500);
    pair.cut.clear();
    send(3_000);
    expect(pair.a.portal.paths.map((path) => path.state)).toEqual(["up", "up"]);
  });

  test("keeps a link with a higher metric in reserve", () => {
    const pair = new Pair();
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    pair.a.portal.addLink(pair.now, linkSettings(0, "initiate", { metric: 0 }));
    pair.a.portal.addLink(pair.now, linkSettings(1, "initiate", { metric: 10 }));
    pair.run(200_000);
    const carried = (): number[] => {
      pair.seen.length = 0;
      for (let i = 0; i < 200; i++) {
        pair.a.offer(pair.now, udpPacket(i, 1000));
        pair.b.offer(pair.now, udpPacket(i, 1000));
        pair.run(2_000);
      }
      return [
        ...new Set(pair.seen.filter((datagram) => datagram.bytes.length > 1000).map((datagram) => datagram.link)),
      ];
    };
    expect(carried()).toEqual([0]);
    pair.cut.add(0);
    pair.run(1_000_000);
    expect(carried()).toEqual([1]);
    pair.cut.clear();
    pair.run(3_000_000);
    expect(carried()).toEqual([0]);
  });

  test("drops forged, truncated, foreign and replayed datagrams with a counted reason and no effect", () => {
    const pair = connectedPair();
    pair.cut.add(0);
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(10_000);
    const genuine = pair.seen.findLast((datagram) => datagram.from === pair.a && datagram.bytes.length > 100)?.bytes;
    if (!genuine) throw new Error("no datagram seen");
    const stranger = parseEndpoint("198.51.100.9", 5);
    if (!stranger) throw new Error("unreachable");
    const before = pair.b.delivered.length;
    const flip = (at: number): Uint8Array => genuine.map((byte, i) => (i === at ? byte ^ 1 : byte));
    for (let at = 4; at < genuine.length; at++) pair.inject(pair.b, flip(at), stranger);
    for (let length = 0; length < genuine.length; length++) pair.inject(pair.b, genuine.slice(0, length), stranger);
    pair.inject(pair.b, flip(1), stranger);
    pair.inject(pair.b, flip(0), stranger);
    expect(pair.b.delivered.length).toBe(before);
    const home = parseEndpoint("192.0.2.1", 1000) ?? stranger;
    pair.inject(pair.b, genuine, home);
    const repeats = pair.b.portal.snapshot(pair.now).drops["datagram-replayed"] ?? 0;
    pair.inject(pair.b, genuine, stranger);
    const { drops, links } = pair.b.portal.snapshot(pair.now);
    expect(pair.b.delivered.length).toBe(before + 1);
    expect(links[0]?.paths[0]?.remote).toBe("192.0.2.1:1000");
    expect(drops["datagram-replayed"]).toBe(repeats + 1);
    expect(drops["datagram-forged"]).toBeGreaterThan(100);
    expect(drops["datagram-truncated"]).toBeGreaterThanOrEqual(8);
    expect(drops["datagram-foreign"]).toBe(1);
  });

  test("follows the peer to a new address after an authentic datagram", () => {
    const pair = connectedPair();
    pair.a.address.set(parseEndpoint("203.0.113.77") ?? createEndpoint());
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(50_000);
    expect(pair.b.portal.snapshot(pair.now).links[0]?.paths[0]?.remote).toBe("203.0.113.77:1000");
  });

  test("sends an address that has proven nothing at most three times what came from it, and returns when the old one is heard", () => {
    const pair = connectedPair();
    const stranger = parseEndpoint("198.51.100.7", 999) ?? createEndpoint();
    const home = () => pair.b.portal.snapshot(pair.now).links[0]?.paths[0]?.remote;
    const former = home();
    const linkOfStranger = 999 - 1000;
    pair.cut.add(linkOfStranger);
    pair.cut.add(0);
    pair.seen.length = 0;
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(0);
    // An observer sends on what the peer just sent, from elsewhere, and keeps the original back.
    const [caught] = pair.seen;
    pair.inject(pair.b, caught?.bytes ?? new Uint8Array(), stranger);
    expect(home()).toBe("198.51.100.7:999");
    for (let i = 0; i < 100; i++) pair.b.offer(pair.now, udpPacket(i, 1_000));
    pair.run(30_000);
    const drawn = pair.seen.filter(({ link }) => link === linkOfStranger).map(({ bytes }) => bytes.length);
    expect(drawn.length).toBeGreaterThan(0);
    expect(drawn.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(3 * (caught?.bytes.length ?? 0));
    pair.cut.delete(0);
    pair.a.offer(pair.now, udpPacket(2));
    pair.run(20_000);
    expect(home()).toBe(former);
  });

  test("takes the former address again when nobody answers at the new one", () => {
    const pair = connectedPair();
    const former = pair.b.portal.snapshot(pair.now).links[0]?.paths[0]?.remote;
    pair.cut.add(999 - 1000);
    pair.cut.add(0);
    pair.seen.length = 0;
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(0);
    pair.inject(
      pair.b,
      pair.seen[0]?.bytes ?? new Uint8Array(),
      parseEndpoint("198.51.100.7", 999) ?? createEndpoint(),
    );
    pair.run(3_000_000);
    expect(pair.b.portal.snapshot(pair.now).links[0]?.paths[0]?.remote).toBe(former);
  });

  test.each(["listener", "initiator"])("recovers in under two seconds when the %s restarts without a word", (which) => {
    const pair = connectedPair(2);
    for (let i = 0; i < 20; i++) pair.a.offer(pair.now, udpPacket(i));
    pair.run(100_000);
    const old = pair.seen.filter((datagram) => datagram.from === pair.a).map((datagram) => datagram.bytes);
    const end = which === "listener" ? pair.b : pair.a;
    end.restart(99);
    if (end === pair.b) end.portal.addLink(pair.now, linkSettings(0, "listen"));
    else for (const id of [0, 1]) end.portal.addLink(pair.now, linkSettings(id, "initiate"));
    pair.b.delivered.length = 0;
    for (let i = 0; i < 200; i++) {
      pair.a.offer(pair.now, udpPacket(5000 + i));
      pair.run(10_000);
    }
    expect(pair.b.delivered.map(idOf)).toContain(5199);
    const count = pair.b.delivered.length;
    for (const bytes of old) pair.inject(pair.b, bytes, pair.a.address);
    pair.run(1_000_000);
    expect(pair.b.delivered.length).toBe(count);
  });

  test("closes an accepted connection that nobody uses", () => {
    const end = new End("192.0.2.2", 2);
    end.portal.addLink(0, linkSettings(0, "listen", { method: "TCP" }));
    end.portal.addSocket(1_000, 0, 7, end.address);
    const closed = (now: number): number[] => {
      end.portal.handleTimeout(now);
      const sockets: number[] = [];
      for (let event = end.portal.pollEvent(); event; event = end.portal.pollEvent()) {
        if (event.type === "close") sockets.push(event.socket);
      }
      return sockets;
    };
    expect(closed(1_900_000)).toEqual([]);
    expect(end.portal.pollTimeout(1_900_000)).toBeLessThanOrEqual(2_001_000);
    expect(closed(2_001_000)).toEqual([7]);
  });

  test("tells the peer when it shuts down", () => {
    const pair = connectedPair();
    pair.b.portal.close(pair.now);
    pair.run(10_000);
    expect(pair.a.portal.paths).toHaveLength(0);
    expect(pair.a.logs.join("\n")).toContain("peer shut down");
  });

  test("connects whichever portal starts first", () => {
    const pair = new Pair();
    pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
    pair.run(20_000_000);
    expect(pair.a.portal.paths).toHaveLength(0);
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    pair.run(5_000_000);
    expect(pair.a.portal.paths[0]?.state).toBe("up");
  });

  test("refuses a peer with another key, and says so", () => {
    const pair = new Pair(new End("192.0.2.1", 1, { sharedKey: new Uint8Array(32).fill(8) }));
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
    pair.run(3_000_000);
    expect(pair.b.portal.paths).toHaveLength(0);
    expect(pair.b.portal.snapshot(pair.now).drops["exchange-forged"]).toBeGreaterThan(0);
    expect(pair.b.logs.join("\n")).toContain("SharedKey");
  });

  test("tells a peer with another Security apart from one with another key", () => {
    const pair = new Pair(new End("192.0.2.1", 1, { security: "none" }));
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
    pair.run(3_000_000);
    expect(pair.b.portal.paths).toHaveLength(0);
    expect(pair.b.logs.join("\n")).toContain("the peer's Security, or its kind of keys, is another");
    expect(pair.b.logs.join("\n")).not.toContain("SharedKey");
  });

  test("authenticates the addresses between the NATs where both ends ask for it", () => {
    const at = (text: string) => parseEndpoint(text);
    for (const claimed of ["192.0.2.1", "192.0.2.99"]) {
      const pair = new Pair();
      pair.b.portal.addLink(pair.now, linkSettings(0, "listen", { publicAddress: at("192.0.2.2") }));
      pair.a.portal.addLink(pair.now, linkSettings(0, "initiate", { publicAddress: at(claimed) }));
      pair.run(500_000);
      expect(pair.a.portal.paths.length).toBe(claimed === "192.0.2.1" ? 1 : 0);
    }
  });

  test("answers a packet too big for the tunnel with ICMP", () => {
    const pair = connectedPair();
    const packet = udpPacket(1, 1500);
    packet[6] = 0x40;
    pair.a.offer(pair.now, packet);
    pair.run(1_000);
    const answer = pair.a.delivered[0] as Uint8Array;
    expect([answer[9], answer[20], answer[21]]).toEqual([1, 3, 4]);
    expect(new DataView(answer.buffer).getUint16(26)).toBe(1400);
  });
});

test("a question behind the message that ends the path gets no answer, as the keys are erased", () => {
  const pair = connectedPair(1, {});
  const [path, pool] = [pair.a.portal.paths[0]!, pair.a.pool];
  const echo = encodeDiagnosis({ kind: DIAGNOSIS.ECHO, token: 1 });
  const messages = new Uint8Array(CLOSE_SIZE + echo.length);
  writeClose(new DataView(messages.buffer), 0, CLOSE_REASON.SHUTDOWN);
  messages.set(echo, CLOSE_SIZE);
  const slot = slotWith(pool, messages);
  path.seal(pair.now, pool, slot, false);
  const before = pair.seen.length;
  pair.inject(pair.b, contentOf(pool, slot), pair.b.portal.paths[0]!.remote);
  expect(pair.b.portal.paths).toEqual([]);
  expect(pair.seen.slice(before).filter(({ from }) => from === pair.b)).toEqual([]);
});
