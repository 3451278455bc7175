import { describe, expect, spyOn, test } from "bun:test";
import { parseEndpoint } from "../../../src/endpoint.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { Pair } from "../pair.ts";

describe("Junk that reaches a portal", () => {
  test("costs no decryption where its index or its packet number is wrong, and one where all else is", () => {
    const pair = new Pair();
    pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
    pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
    pair.run(200_000);
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(10_000);
    const genuine = pair.seen.findLast(({ from, bytes }) => from === pair.a && bytes.length > 100)?.bytes as Uint8Array;
    const path = pair.b.portal.paths[0];
    const stranger = parseEndpoint("198.51.100.9", 5);
    if (!path || !stranger) throw new Error("no path");
    const opened = spyOn(path.keys, "open");
    pair.inject(pair.b, genuine, stranger);
    pair.inject(pair.b, flipped(genuine, 3), stranger);
    expect(opened).toHaveBeenCalledTimes(0);
    pair.inject(pair.b, flipped(genuine, 6), stranger);
    expect(opened).toHaveBeenCalledTimes(1);
    const { drops } = pair.b.portal.snapshot(pair.now);
    expect([drops["datagram-replayed"], drops["datagram-foreign"], drops["datagram-forged"]]).toEqual([1, 1, 1]);
  });
});

/** The datagram with one byte changed: bytes 1 to 3 are its receiver index, 4 to 7 its packet number. */
function flipped(datagram: Uint8Array, at: number): Uint8Array {
  return datagram.map((byte, i) => (i === at ? byte ^ 0x40 : byte));
}
