import { describe, expect, test } from "bun:test";
import { type Endpoint, parseEndpoint } from "../../../src/endpoint.ts";
import { NoiseExchange } from "../../../src/exchange/noise-exchange.ts";
import { createOffer } from "../../../src/security/offer.ts";
import { KeyPair } from "../../../src/security/x25519.ts";
import { counting } from "../../support/bytes.ts";
import { linkSettings } from "../../support/portal-end.ts";
import { SeededRandom } from "../../support/random.ts";
import { End, keysOf } from "../pair.ts";

const [A, B] = [counting(32, 40), counting(32, 80)];
const START = 1_000_000;
const from = (text: string) => parseEndpoint(text, 5_000) as Endpoint;

/** A TCP listener, and the connections that it closed. */
class Listener extends End {
  readonly closed: number[] = [];

  constructor() {
    super("192.0.2.2", 2, keysOf(B, A));
    this.network = { open: () => {}, send: () => {} };
    this.portal.addLink(START, linkSettings(0, "listen", { method: "TCP" }));
    this.handleEvents(START);
  }

  accept(now: number, socket: number, peer: string): void {
    this.portal.addSocket(now, 0, socket, from(peer));
    this.handleEvents(now);
  }

  wait(now: number): number[] {
    this.portal.handleTimeout(now);
    this.handleEvents(now);
    return this.closed;
  }

  protected override closeSocket(socket: number): void {
    this.closed.push(socket);
  }
}

/** Returns an initiation of the peer of the listener. */
function initiation(): Uint8Array {
  const identity = { sharedKey: new Uint8Array(32), keyPair: new KeyPair(A), peerKey: new KeyPair(B).publicKey };
  const exchange = new NoiseExchange(createOffer("auto"), identity, counting(8), new SeededRandom(9).bytes);
  return exchange.initiate(0, { index: 5, link: 1, metric: 0, name: "x", addresses: undefined }).message;
}

describe("A TCP listener", () => {
  test("closes the oldest of 64 silent connections for a new one, counts it and warns", () => {
    const listener = new Listener();
    for (let i = 0; i < 66; i++) listener.accept(START + i, i, `198.51.${i}.1`);
    expect(listener.closed).toEqual([0, 1]);
    expect(listener.portal.snapshot(START).drops).toEqual({ "connection-evicted": 2 });
    const text = "198.51.65.1:5000: too many TCP connections without a path; the oldest is closed for each new one";
    expect(listener.logs.at(-1)).toBe(`link0: ${text}`);
    expect(listener.portal.snapshot(START + 70).links[0]?.refused?.text).toBe(text);
  });

  test.each([
    ["one IPv4 address", () => "203.0.113.5"],
    ["one IPv6 /64", (i: number) => `2001:db8:0:1::${i}`],
  ])("closes connections of %s for those of the same, not for others", (_, peer) => {
    const listener = new Listener();
    listener.accept(START, 100, "192.0.2.9");
    for (let i = 0; i < 18; i++) listener.accept(START + 1 + i, i, peer(i));
    listener.accept(START + 20, 101, "192.0.2.10");
    expect(listener.closed).toEqual([0, 1]);
  });

  test("closes a connection without an initiation after two seconds, and one without a path after ten", () => {
    const listener = new Listener();
    for (const socket of [1, 2, 3]) listener.accept(START, socket, `192.0.2.${socket}`);
    const message = initiation();
    listener.receive(START + 500_000, 2, message, from("192.0.2.2"), listener.address);
    listener.receive(START + 500_000, 3, message.with(20, 1), from("192.0.2.3"), listener.address);
    expect(listener.wait(START + 1_900_000)).toEqual([]);
    expect(listener.wait(START + 2_000_000)).toEqual([1, 3]);
    expect(listener.wait(START + 9_900_000)).toEqual([1, 3]);
    expect(listener.wait(START + 10_000_000)).toEqual([1, 3, 2]);
  });
});
