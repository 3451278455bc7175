import { describe, expect, test } from "bun:test";
import type { Endpoint } from "../../src/endpoint.ts";
import type { Path } from "../../src/path/path.ts";
import { HEADER_SIZE, TYPE, writeHeader } from "../../src/wire/datagram.ts";
import { MESSAGE } from "../../src/wire/message-types.ts";
import type { Pair } from "../portal/pair.ts";
import { join, udpPacket } from "../support/packets/build.ts";
import { dataMessage, fragmentMessage, talkedPair } from "./portal.ts";

/** Injects messages into `b` as an authentic datagram; returns what `b` delivers for it. */
function deliveredFor(pair: Pair, ...messages: readonly Uint8Array[]): Uint8Array[] {
  const path = pair.b.portal.paths[0] as Path;
  const datagram = join(new Uint8Array(HEADER_SIZE), ...messages);
  const view = new DataView(datagram.buffer);
  writeHeader(view, 0, TYPE.TRANSPORT, path.settings.index, path.received.largest + 1);
  pair.b.delivered.length = 0;
  pair.inject(pair.b, datagram, path.remote as Endpoint, path.socket);
  pair.run(300_000);
  return pair.b.delivered.slice();
}

describe("a hostile peer's datagram", () => {
  const pair = talkedPair({ security: "none" });
  const packet = udpPacket(7, 300);

  test("delivers no packet that is cut short, at any length", () => {
    const whole = dataMessage(packet, 1_000);
    for (let length = 1; length < whole.length; length++) {
      expect(deliveredFor(pair, whole.subarray(0, length))).toEqual([]);
    }
    expect(deliveredFor(pair, whole)).toEqual([packet]);
  });

  test("delivers the packet behind other messages", () => {
    const probe = Uint8Array.of(MESSAGE.PROBE << 4);
    expect(deliveredFor(pair, probe, probe, dataMessage(packet, 2_000))).toEqual([packet]);
  });

  test("delivers a packet of two parts once both have come, and none that is cut short", () => {
    const parts = [0, 1].map((part) => fragmentMessage(packet, 3_000, part));
    for (const part of parts)
      for (let length = 1; length < part.length; length++)
        expect(deliveredFor(pair, part.subarray(0, length))).toEqual([]);
    expect(deliveredFor(pair, parts[0] as Uint8Array)).toEqual([]);
    expect(deliveredFor(pair, parts[1] as Uint8Array)).toEqual([packet]);
  });

  test("leaves no slot behind", () => {
    pair.run(40_000_000);
    expect([pair.a.pool.free, pair.b.pool.free]).toEqual([pair.a.pool.count, pair.b.pool.count]);
  });
});
