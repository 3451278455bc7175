import { describe, expect, test } from "bun:test";
import { parseEndpoint } from "../../../src/endpoint.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { connectedPair, End, Pair } from "../pair.ts";

const idOf = (packet: Uint8Array): number => new DataView(packet.buffer).getUint32(28);

describe("Links", () => {
  test("brings every link up with one exchange each", () => {
    const pair = connectedPair(3);
    expect(pair.a.portal.paths.map((path) => path.state)).toEqual(["up", "up", "up"]);
    expect(pair.b.portal.paths.map((path) => path.state)).toEqual(["up", "up", "up"]);
    expect(pair.a.portal.snapshot(pair.now).links.map((link) => link.ups)).toEqual([1, 1, 1]);
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
});
