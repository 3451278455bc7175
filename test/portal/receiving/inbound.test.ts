import { describe, expect, test } from "bun:test";
import { createEndpoint, parseEndpoint } from "../../../src/endpoint.ts";
import { CLOSE_REASON, CLOSE_SIZE, writeClose } from "../../../src/wire/close.ts";
import { DIAGNOSIS, encodeDiagnosis } from "../../../src/wire/diagnosis-messages.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { contentOf, slotWith } from "../../support/slots.ts";
import { connectedPair } from "../pair.ts";

describe("Inbound", () => {
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
