import { describe, expect, test } from "bun:test";
import { udpPacket } from "../support/packets/build.ts";
import { connectedPair } from "./pair.ts";

const idOf = (packet: Uint8Array): number => new DataView(packet.buffer).getUint32(28);

describe("Portal", () => {
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
});
