import { describe, expect, test } from "bun:test";
import { createEndpoint, parseEndpoint } from "../../src/endpoint.ts";
import { type Agreement, type Introduction, isRefused, type Question } from "../../src/exchange/exchange.ts";
import { type Identity, NoiseExchange } from "../../src/exchange/noise-exchange.ts";
import { PacketPool } from "../../src/memory/packet-pool.ts";
import { createOffer, type Offer } from "../../src/security/offer.ts";
import type { Security } from "../../src/security/security.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting, flipBit } from "../support/bytes.ts";
import { SeededRandom } from "../support/random.ts";
import { contentOf, sealSlot, slotWith } from "../support/slots.ts";
import golden from "../vectors/exchange.json";

const FROM_A: Introduction = { index: 0x0a0b0c, link: 3, metric: 100, name: "lte", addresses: undefined };
const FROM_B: Introduction = { index: 0x010203, link: 9, metric: 5, name: "home", addresses: undefined };
const NO_KEY = new Uint8Array(32);
const SHARED_KEY = counting(32, 7);
const [PAIR_A, PAIR_B, PAIR_C] = [1, 2, 3].map((n) => new KeyPair(counting(32, 10 * n))) as [KeyPair, KeyPair, KeyPair];

interface Ends {
  readonly a: Identity;
  readonly b: Identity;
}

const pairs = (sharedKey = NO_KEY): Ends => ({
  a: { sharedKey, keyPair: PAIR_A, peerKey: PAIR_B.publicKey },
  b: { sharedKey, keyPair: PAIR_B, peerKey: PAIR_A.publicKey },
});

const KINDS: readonly (readonly [string, Ends])[] = [
  ["a shared key", { a: { sharedKey: SHARED_KEY }, b: { sharedKey: SHARED_KEY } }],
  ["key pairs", pairs()],
  ["key pairs and a shared key", pairs(SHARED_KEY)],
  ["no key at all", { a: { sharedKey: NO_KEY }, b: { sharedKey: NO_KEY } }],
];

function exchangeOf(identity: Identity, seed: number, offer: Offer = createOffer("aes-256-gcm")): NoiseExchange {
  return new NoiseExchange(offer, identity, counting(8, seed), new SeededRandom(seed).bytes);
}

function ends({ a, b }: Ends, offers: { a?: Offer; b?: Offer } = {}) {
  return { a: exchangeOf(a, 0xa0, offers.a), b: exchangeOf(b, 0xb0, offers.b) };
}

function readBy(exchange: NoiseExchange, initiation: Uint8Array): Question {
  const question = exchange.read(initiation);
  if (exchange.check(initiation) || isRefused(question)) throw new Error("refused");
  return question;
}

function agreed(agreement: ReturnType<ReturnType<NoiseExchange["initiate"]>["complete"]>): Agreement {
  if (isRefused(agreement)) throw new Error(`refused: ${agreement.refusal}`);
  return agreement;
}

/** A whole exchange; both agreements. */
function exchange(kind: Ends, offers: { a?: Offer; b?: Offer } = {}) {
  const { a, b } = ends(kind, offers);
  const initiation = a.initiate(0, FROM_A);
  const response = readBy(b, initiation.message).respond(FROM_B);
  return { a: agreed(initiation.complete(response.message)), b: agreed(response.agreement), initiation, response };
}

/** Whether a datagram that `from` sealed opens with `to`. */
function carries(from: Security, to: Security): boolean {
  const pool = new PacketPool(1, 300);
  const slot = slotWith(pool, counting(100));
  sealSlot(from, pool, slot);
  return to.open(pool, slot, 0) === 0 && contentOf(pool, slot).every((byte, i) => byte === i);
}

describe.each(KINDS)("An exchange under %s", (name, kind) => {
  test("has the known messages", () => {
    const { initiation, response } = exchange(kind);
    const known = golden[name as keyof typeof golden];
    expect([initiation.message.toHex(), response.message.toHex()]).toEqual([known.initiation, known.response]);
  });

  test("gives both ends security that understands the other's, of the suite they have in common", () => {
    const { a, b } = exchange(kind);
    expect([a.suite, b.suite]).toEqual(["aes-256-gcm", "aes-256-gcm"]);
    expect([carries(a.security, b.security), carries(b.security, a.security)]).toEqual([true, true]);
    expect(carries(a.security, a.security)).toBe(false);
  });

  test("tells each end what the other said", () => {
    const { a, b } = exchange(kind);
    expect(b).toMatchObject({ run: "a0a1a2a3a4a5a6a7", peer: FROM_A });
    expect(a).toMatchObject({ run: "b0b1b2b3b4b5b6b7", peer: FROM_B });
  });

  test("answers less than it is asked", () => {
    const { initiation, response } = exchange(kind);
    expect(response.message.length).toBeLessThanOrEqual(initiation.message.length);
    const { b } = ends(kind);
    expect(b.askForCookie(0, initiation.message, createEndpoint()).length).toBeLessThan(initiation.message.length / 2);
  });

  test("answers an initiation that is played back with other keys", () => {
    const { a, b } = ends(kind);
    const initiation = a.initiate(0, FROM_A);
    const answers = [1, 2].map(() => readBy(b, initiation.message).respond(FROM_B));
    const agreement = agreed(initiation.complete(answers[0]?.message as Uint8Array));
    const [first, second] = answers.map((answer) => agreed(answer.agreement).security) as [Security, Security];
    expect([carries(agreement.security, first), carries(agreement.security, second)]).toEqual([true, false]);
  });

  test("refuses every flipped bit of an initiation but those that show a cookie, and of a response", () => {
    const { a, b } = ends(kind);
    const initiation = a.initiate(0, FROM_A);
    const { message } = readBy(b, initiation.message).respond(FROM_B);
    for (let bit = 0; bit < 8 * (initiation.message.length - 16); bit++) {
      const flipped = flipBit(initiation.message, bit);
      if (!b.check(flipped) && !isRefused(b.read(flipped))) throw new Error(`bit ${bit} is not covered`);
    }
    for (let bit = 0; bit < 8 * message.length; bit++) {
      if (!isRefused(initiation.complete(flipBit(message, bit)))) throw new Error(`bit ${bit} is not covered`);
    }
    // All those did not spoil it.
    expect(isRefused(initiation.complete(message))).toBe(false);
  });

  test("refuses a response to another initiation, and its own message", () => {
    const { a, b } = ends(kind);
    const [first, second] = [a.initiate(0, FROM_A), a.initiate(0, FROM_A)];
    const wrong = readBy(b, second.message).respond(FROM_B).message;
    expect(first.complete(wrong)).toMatchObject({ refusal: kind.a.keyPair ? "shared-key" : "forged" });
    const other = readBy(b, a.initiate(0, { ...FROM_A, index: 5 }).message).respond(FROM_B).message;
    expect(first.complete(other)).toEqual({ refusal: "unexpected" });
    expect(first.complete(first.message)).toEqual({ refusal: "malformed" });
  });

  test("tells version, size and kind of message from what is forged", () => {
    const { a, b } = ends(kind);
    const { message } = a.initiate(0, FROM_A);
    expect(b.check(message.with(4, 2))).toEqual({ refusal: "version" });
    expect(b.check(message.with(5, 9))).toEqual({ refusal: "pattern" });
    expect(b.check(message.with(0, 0x20))).toEqual({ refusal: "malformed" });
    expect(b.check(message.subarray(1))).toEqual({ refusal: "malformed" });
    for (let length = 0; length < message.length; length++) expect(b.check(message.subarray(0, length))).toBeDefined();
    expect(b.check(message.with(100, (message[100] as number) ^ 1))).toEqual({ refusal: "forged" });
  });

  test("shows a cookie once it has one, and only where it was baked for", () => {
    const { a, b } = ends(kind);
    const [here, there] = [parseEndpoint("192.0.2.1", 1), parseEndpoint("192.0.2.1", 2)] as [Uint8Array, Uint8Array];
    const initiation = a.initiate(0, FROM_A);
    expect(b.showsCookie(0, initiation.message, here)).toBe(false);
    const cookie = b.askForCookie(0, initiation.message, here);
    expect(a.initiate(0, FROM_A).takeCookie(0, cookie)).toBe(false);
    expect(initiation.takeCookie(0, cookie.with(40, 0))).toBe(false);
    expect(initiation.takeCookie(0, cookie)).toBe(true);
    expect(b.check(initiation.message)).toBeUndefined();
    expect(b.showsCookie(0, initiation.message, here)).toBe(true);
    expect(b.showsCookie(0, initiation.message, there)).toBe(false);
    expect(b.showsCookie(120_000_000, initiation.message, here)).toBe(false);
    expect(b.showsCookie(0, a.initiate(0, FROM_A).message, here)).toBe(false);
    expect(isRefused(initiation.complete(readBy(b, initiation.message).respond(FROM_B).message))).toBe(false);
  });
});

describe("Keys of another", () => {
  const { a, b } = pairs(SHARED_KEY);
  const check = (from: Identity, to: Identity) => {
    const { message } = exchangeOf(from, 1).initiate(0, FROM_A);
    const responder = exchangeOf(to, 2);
    return responder.check(message) ?? responder.read(message);
  };

  test("a message for another public key, or made with another shared key, is forged", () => {
    expect(check({ ...a, peerKey: PAIR_C.publicKey }, b)).toEqual({ refusal: "forged" });
    expect(check({ sharedKey: SHARED_KEY }, { sharedKey: counting(32) })).toEqual({ refusal: "forged" });
  });

  test("a message of another key pair is a stranger's, who is named", () => {
    const stranger = { refusal: "unknown-key", detail: PAIR_C.publicKey.toBase64() };
    expect(check({ ...a, keyPair: PAIR_C }, b)).toEqual(stranger as ReturnType<typeof check>);
  });

  test("another shared key besides key pairs shows in the response", () => {
    const initiation = exchangeOf(a, 1).initiate(0, FROM_A);
    const response = readBy(exchangeOf({ ...b, sharedKey: NO_KEY }, 2), initiation.message).respond(FROM_B);
    expect(initiation.complete(response.message)).toEqual({ refusal: "shared-key" });
  });

  test("key pairs at one end, a shared key or nothing at the other, are another pattern", () => {
    expect(check({ sharedKey: SHARED_KEY }, b)).toEqual({ refusal: "pattern" });
    expect(check(a, { sharedKey: SHARED_KEY })).toEqual({ refusal: "pattern" });
    expect(check({ sharedKey: NO_KEY }, { sharedKey: SHARED_KEY })).toEqual({ refusal: "pattern" });
  });

  test("what an initiation hides cannot be found in it", () => {
    const { message } = exchangeOf(a, 1).initiate(0, FROM_A);
    for (const hidden of [PAIR_A.publicKey, PAIR_B.publicKey, new TextEncoder().encode("lte"), counting(8, 1)]) {
      expect(message.toHex()).not.toContain(hidden.toHex());
    }
  });

  test("who learns the responder's private key cannot pose to it as somebody else in the end", () => {
    // As whoever knows b's private key can compute what an honest initiator would: es and ss. The response takes ee and se.
    const initiation = exchangeOf(a, 1).initiate(0, FROM_A);
    const response = readBy(exchangeOf(b, 2), initiation.message).respond(FROM_B);
    const posing = exchangeOf({ ...a, keyPair: PAIR_C }, 1).initiate(0, FROM_A);
    expect(isRefused(posing.complete(response.message))).toBe(true);
  });
});

describe("The suite", () => {
  const kind = pairs();
  const suites = (a: Offer, b: Offer) => {
    const { a: one, b: other } = exchange(kind, { a, b });
    expect(one.suite).toBe(other.suite);
    expect([carries(one.security, other.security), carries(other.security, one.security)]).toEqual([true, true]);
    return one.suite;
  };

  test("is the common one that costs the slower end less", () => {
    const fast = { "aes-256-gcm": 700, "chacha20-poly1305": 11_000 };
    const slow = { "aes-256-gcm": 90_000, "chacha20-poly1305": 60_000 };
    expect(suites(createOffer("auto", fast), createOffer("auto", fast))).toBe("aes-256-gcm");
    expect(suites(createOffer("auto", fast), createOffer("auto", slow))).toBe("chacha20-poly1305");
    expect(suites(createOffer("auto", slow), createOffer("auto", fast))).toBe("chacha20-poly1305");
    expect(suites(createOffer("auto"), createOffer("auto"))).toBe("aes-256-gcm");
    expect(suites(createOffer("chacha20-poly1305"), createOffer("auto", fast))).toBe("chacha20-poly1305");
    expect(suites(createOffer("auto", fast), createOffer("chacha20-poly1305"))).toBe("chacha20-poly1305");
    expect(suites(createOffer("blake2s"), createOffer("blake2s"))).toBe("blake2s");
  });

  test.each([
    ["auto", "blake2s", "aes-256-gcm, chacha20-poly1305", "blake2s"],
    ["blake2s", "auto", "blake2s", "aes-256-gcm, chacha20-poly1305"],
    ["aes-256-gcm", "chacha20-poly1305", "aes-256-gcm", "chacha20-poly1305"],
    ["none", "auto", "none", "aes-256-gcm, chacha20-poly1305"],
  ] as const)("is none where one end has %s and the other %s, and both can say so", (of, other, ours, theirs) => {
    const { a, b } = ends(kind, { a: createOffer(of), b: createOffer(other) });
    const initiation = a.initiate(0, FROM_A);
    const response = readBy(b, initiation.message).respond(FROM_B);
    expect(response.agreement).toEqual({ refusal: "security", detail: ours });
    expect(initiation.complete(response.message)).toEqual({ refusal: "security", detail: theirs });
  });
});

describe("A rekey", () => {
  test.each(KINDS)("under %s gives other keys, the same at both ends", (_name, kind) => {
    const { a, b } = exchange(kind);
    const rekey = a.session.renew(1);
    const answer = b.session.answer(1, rekey.message);
    if (!answer) throw new Error("not answered");
    const renewed = rekey.complete(answer.message) as Security;
    expect([carries(renewed, answer.security), carries(answer.security, renewed)]).toEqual([true, true]);
    expect([carries(a.security, answer.security), carries(renewed, b.security)]).toEqual([false, false]);
  });

  test.each(KINDS)("under %s belongs to its path and its epoch, and survives what is not its answer", (_name, kind) => {
    const [one, two] = [exchange(kind), exchange({ a: kind.a, b: kind.b }, { a: createOffer("auto") })];
    const rekey = one.a.session.renew(1);
    expect(one.b.session.answer(2, rekey.message)).toBeUndefined();
    expect(two.b.session.answer(1, rekey.message)).toBeUndefined();
    const answer = one.b.session.answer(1, rekey.message)?.message as Uint8Array;
    for (let bit = 0; bit < 8 * answer.length; bit++) expect(rekey.complete(flipBit(answer, bit))).toBeUndefined();
    for (let length = 0; length < answer.length; length++) {
      expect(rekey.complete(answer.subarray(0, length))).toBeUndefined();
      expect(one.b.session.answer(1, rekey.message.subarray(0, length))).toBeUndefined();
    }
    expect(rekey.complete(answer)).toBeDefined();
  });
});
