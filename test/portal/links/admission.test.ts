import { describe, expect, test } from "bun:test";
import { type Endpoint, parseEndpoint } from "../../../src/endpoint.ts";
import { NoiseExchange } from "../../../src/exchange/noise-exchange.ts";
import { AnswerLimits } from "../../../src/portal/links/answer-limits.ts";
import type { TunnelSettings } from "../../../src/portal/settings.ts";
import { createOffer } from "../../../src/security/offer.ts";
import { KeyPair } from "../../../src/security/x25519.ts";
import { TYPE } from "../../../src/wire/datagram.ts";
import { counting } from "../../support/bytes.ts";
import { udpPacket } from "../../support/packets/build.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { SeededRandom } from "../../support/random.ts";
import { End, keysOf, Pair } from "../pair.ts";

const [A, B, STRANGER] = [1, 2, 3].map((n) => counting(32, 40 * n)) as [Uint8Array, Uint8Array, Uint8Array];
const publicOf = (key: Uint8Array) => new KeyPair(key).publicKey;

function pairOf(a: Partial<TunnelSettings> = {}, b: Partial<TunnelSettings> = {}): Pair {
  const ends = [new End("192.0.2.1", 1, { ...keysOf(A, B), ...a }), new End("192.0.2.2", 2, { ...keysOf(B, A), ...b })];
  return new Pair(ends[0], ends[1]);
}

function listen(pair: Pair): void {
  pair.b.portal.addLink(pair.now, linkSettings(0, "listen"));
  pair.run(1_000);
}

function connect(pair: Pair): void {
  pair.a.portal.addLink(pair.now, linkSettings(0, "initiate"));
}

const isUp = (pair: Pair) => pair.a.portal.paths[0]?.state === "up" && pair.b.portal.paths[0]?.state === "up";
const at = (host: number) => parseEndpoint(`198.51.${host >> 8}.${host & 255}`, 4725) as Endpoint;
const typeOf = (bytes: Uint8Array) => (bytes[0] as number) >> 4;
const sentBy = (pair: Pair, end: End, type: number) =>
  pair.seen.filter(({ from, bytes }) => from === end && typeOf(bytes) === type).map(({ bytes }) => bytes);

/** Initiations by somebody with a key pair of his own who knows the listener's public key. */
function impostor(count: number): Uint8Array[] {
  const identity = { sharedKey: new Uint8Array(32), keyPair: new KeyPair(STRANGER), peerKey: publicOf(B) };
  const exchange = new NoiseExchange(createOffer("auto"), identity, counting(8), new SeededRandom(9).bytes);
  const introduction = { index: 5, link: 1, metric: 0, name: "x", addresses: undefined };
  return Array.from({ length: count }, () => exchange.initiate(0, introduction).message);
}

describe("An exchange between portals", () => {
  test("takes one round trip", () => {
    const pair = pairOf();
    listen(pair);
    const began = pair.now;
    connect(pair);
    // 5 ms each way.
    pair.run(10_000);
    expect(pair.a.portal.paths[0]?.state).toBe("up");
    pair.run(5_000);
    expect(isUp(pair)).toBe(true);
    expect(pair.now - began).toBe(15_000);
    expect(pair.a.portal.paths[0]?.settings.suite).toBe("aes-256-gcm");
  });

  test("that was played back changes nothing, costs no answer, and is counted", () => {
    const pair = pairOf();
    listen(pair);
    connect(pair);
    pair.run(100_000);
    const [initiation] = sentBy(pair, pair.a, TYPE.EXCHANGE_INITIATION);
    const paths = [...pair.b.portal.paths];
    const answers = sentBy(pair, pair.b, TYPE.EXCHANGE_RESPONSE).length;
    for (let i = 0; i < 20; i++) pair.inject(pair.b, initiation as Uint8Array, at(i));
    expect(sentBy(pair, pair.b, TYPE.EXCHANGE_RESPONSE).length).toBe(answers);
    expect(pair.b.portal.paths).toEqual(paths);
    expect(pair.b.portal.snapshot(pair.now).drops).toEqual({ "exchange-replayed": 20 });
  });

  test("that was played back to a listener which has forgotten it leads nowhere", () => {
    const pair = pairOf();
    listen(pair);
    connect(pair);
    pair.run(100_000);
    const [old] = sentBy(pair, pair.a, TYPE.EXCHANGE_INITIATION);
    pair.a.portal.removeLink(pair.now, 0);
    pair.b.restart(77, keysOf(B, A));
    listen(pair);
    pair.inject(pair.b, old as Uint8Array, at(9));
    expect(pair.b.portal.paths.map((path) => path.state)).toEqual(["exchanging"]);
    // Whoever plays it back has not the keys that would follow; the real peer comes up beside it.
    connect(pair);
    pair.run(50_000);
    pair.a.offer(pair.now, udpPacket(1));
    pair.run(6_000_000);
    expect(pair.b.portal.paths.map((path) => path.state)).toEqual(["up"]);
    expect(pair.b.delivered).toHaveLength(1);
  });

  test("under a flood of initiations that name the listener: it answers few, all others with a cookie, and the peer", () => {
    const pair = pairOf();
    listen(pair);
    for (const [i, message] of impostor(400).entries()) pair.inject(pair.b, message, at(i));
    const { drops } = pair.b.portal.snapshot(pair.now);
    // Half of the burst of 100 without cookies.
    expect(drops["exchange-forged"]).toBeLessThanOrEqual(51);
    const cookies = sentBy(pair, pair.b, TYPE.EXCHANGE_COOKIE);
    expect(cookies.length).toBe(drops["exchange-limited"] as number);
    expect(cookies.length).toBeGreaterThanOrEqual(349);
    expect(Math.max(...cookies.map((bytes) => bytes.length))).toBeLessThan(100);
    connect(pair);
    pair.run(100_000);
    expect(isUp(pair)).toBe(true);
  });

  test("gives one address few answers under load, and another its own", () => {
    const limits = new AnswerLimits();
    const now = 1_000_000;
    while (limits.isIdle(now)) limits.spend();
    const answered = (host: number, time: number) => [...Array(40)].filter(() => limits.spendOf(time, at(host))).length;
    expect([answered(1, now), answered(1, now), answered(2, now), answered(1, now + 100_000)]).toEqual([20, 0, 20, 2]);
  });

  test("is answered at once to a flood of junk, which costs it no answer", () => {
    const pair = pairOf();
    listen(pair);
    for (const [i, message] of impostor(400).entries()) pair.inject(pair.b, message.with(60, i & 255), at(i));
    expect(pair.b.portal.snapshot(pair.now).drops["exchange-forged"]).toBeGreaterThan(395);
    expect(pair.b.logs.length).toBeLessThan(8);
    connect(pair);
    pair.run(20_000);
    expect(isUp(pair)).toBe(true);
    expect(sentBy(pair, pair.b, TYPE.EXCHANGE_COOKIE)).toEqual([]);
  });
});

describe("A portal that is set up wrong is told", () => {
  const logs = (pair: Pair) => {
    listen(pair);
    connect(pair);
    pair.run(1_000_000);
    expect(isUp(pair)).toBe(false);
    return {
      a: pair.a.logs.join("\n"),
      b: pair.b.logs.join("\n"),
      reason: pair.a.portal.snapshot(pair.now).links[0]?.reason,
    };
  };

  test("at the listener that the peer has a wrong PublicKey", () => {
    const { b } = logs(pairOf({ peerKey: publicOf(STRANGER) }));
    expect(b).toContain("the PublicKey there must be the one that belongs to our PrivateKey");
  });

  test("at the listener which key the peer has, if not the one it was told", () => {
    const { b } = logs(pairOf({ privateKey: STRANGER }));
    expect(b).toContain(`the peer's public key is ${publicOf(STRANGER).toBase64()}, which is not our PublicKey`);
    expect(b).not.toContain(STRANGER.toBase64());
  });

  test("at the initiator that the SharedKey is another", () => {
    const { a } = logs(pairOf({ sharedKey: counting(32, 5) }, { sharedKey: counting(32, 6) }));
    expect(a).toContain("the peer's SharedKey is another than ours");
  });

  test("at the listener that the peer goes by another kind of keys", () => {
    const { b } = logs(pairOf({ privateKey: undefined, peerKey: undefined, sharedKey: counting(32, 5) }));
    expect(b).toContain("its kind of keys, is another than ours");
  });

  test("at both ends that there is no common suite", () => {
    const { a, b, reason } = logs(pairOf({ security: "chacha20-poly1305" }, { security: "blake2s" }));
    expect(a).toContain("the peer's Security is another than ours, as it offers blake2s");
    expect(b).toContain("the peer's Security is another than ours, as it offers chacha20-poly1305");
    expect(reason).toContain("the peer's Security is another");
  });
});
