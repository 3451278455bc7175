import { describe, expect, test } from "bun:test";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { connectedPair, Pair } from "../pair.ts";

describe("Outbound", () => {
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
