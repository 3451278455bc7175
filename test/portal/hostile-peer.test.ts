import { describe, expect, test } from "bun:test";
import { type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import type { Path } from "../../src/path/path.ts";
import { Ack } from "../../src/wire/ack.ts";
import { HEADER_SIZE, TYPE, writeHeader } from "../../src/wire/datagram.ts";
import { DIAGNOSIS, encodeDiagnosis } from "../../src/wire/diagnosis-messages.ts";
import { HOLD_SIZE, writeHold } from "../../src/wire/hold.ts";
import { join, udpPacket } from "../support/packets/build.ts";
import { linkSettings } from "../support/portal-end.ts";
import { End, Pair } from "./pair.ts";

/** A pair without security, in which whoever makes a datagram is the peer. */
function openPair(): Pair {
  const settings = { security: "none" } as const;
  const pair = new Pair(new End("192.0.2.1", 1, settings), new End("192.0.2.2", 2, settings));
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
  pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
  pair.run(200_000);
  return pair;
}

/** Has `b` receive these messages in one datagram of the peer from `remote`; returns the datagram. */
function say(pair: Pair, remote: Endpoint | undefined, ...messages: readonly Uint8Array[]): Uint8Array {
  const path = pair.b.portal.paths[0] as Path;
  const datagram = join(new Uint8Array(HEADER_SIZE), ...messages);
  const number = path.received.largest + 1;
  writeHeader(new DataView(datagram.buffer), 0, TYPE.TRANSPORT, path.settings.index, number);
  pair.inject(pair.b, datagram, remote ?? path.remote);
  return datagram;
}

function holdMessage(time: number): Uint8Array {
  const out = new Uint8Array(HOLD_SIZE);
  writeHold(new DataView(out.buffer), 0, time);
  return out;
}

describe("What a peer with the keys may cost", () => {
  test("in datagrams to an address that has proven nothing: three times what came from it, questions included", () => {
    const pair = openPair();
    pair.cut.add(999 - 1000);
    const elsewhere = parseEndpoint("198.51.100.7", 999) as Endpoint;
    pair.seen.length = 0;
    const echo = encodeDiagnosis({ kind: DIAGNOSIS.ECHO, token: 7 });
    const asked = say(pair, elsewhere, ...Array(280).fill(echo));
    pair.run(30_000);
    const answers = pair.seen.filter(({ from, link }) => from === pair.b && link === 999 - 1000);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(3 * asked.length);
  });

  test("in trust: a path ends whose peer acknowledges a number that was left out, and not for an honest one", () => {
    const pair = openPair();
    const path = pair.b.portal.paths[0] as Path;
    // The first number is left out after 8192 datagrams at the latest.
    for (let i = 0; i < 1_000 && path.sent.next === path.sentPackets; i++) {
      for (let j = 0; j < 10; j++) pair.b.offer(pair.now, udpPacket(10 * i + j));
      pair.run(10_000);
    }
    expect(path.state).toBe("up");
    expect(path.sent.next).toBeGreaterThan(path.sentPackets);
    const ack = Object.assign(new Ack(), { index: path.settings.index, ranges: 1 });
    ack.largest = path.sent.next - 1;
    ack.latest = ack.largest;
    ack.ack = -1;
    ack.nack = -1;
    ack.pairs.set([0, path.sent.next]);
    const message = new Uint8Array(ack.size);
    ack.write(new DataView(message.buffer), 0);
    say(pair, undefined, message);
    expect([path.state, path.liveness.reason]).toEqual([
      "down",
      "the peer acknowledged a packet number that was left out",
    ]);
  });

  test("in waiting: packets are held for half a second at most, whatever HOLD says", () => {
    const pair = openPair();
    say(pair, undefined, holdMessage(300_000));
    expect(pair.b.portal.snapshot(pair.now).order.hold).toBeWithin(300_000, 300_100);
    say(pair, undefined, holdMessage(4_200_000));
    expect(pair.b.portal.snapshot(pair.now).order.hold).toBe(500_000);
  });
});
