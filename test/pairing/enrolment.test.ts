import { describe, expect, test } from "bun:test";
import { AddressKeys } from "../../src/exchange/cookies.ts";
import { answerEnrolment, isEnrolmentRequest, requestEnrolment, SECRET_SIZE } from "../../src/pairing/enrolment.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { SeededRandom } from "../support/random.ts";

const seeded = new SeededRandom(7);
const random = (out: Uint8Array) => seeded.bytes(out);
const drawn = (size: number) => {
  const out = new Uint8Array(size);
  random(out);
  return out;
};
const REMOTE = new KeyPair(drawn(32));
const LOCAL = new KeyPair(drawn(32));
const SECRET = drawn(SECRET_SIZE);
const SHARED = drawn(32);
const OWN = new AddressKeys(REMOTE.publicKey);

const request = (keyPair = LOCAL, remoteKey = REMOTE.publicKey, secret = SECRET) =>
  requestEnrolment(keyPair, remoteKey, secret, random);
const answer = (message: Uint8Array, sharedKey: Uint8Array | undefined = undefined, secret = SECRET) =>
  isEnrolmentRequest(message, OWN) ? answerEnrolment(message, REMOTE, secret, sharedKey, random) : undefined;

function flipped(message: Uint8Array, at: number): Uint8Array {
  const out = message.slice();
  out[at] = (out[at] as number) ^ 1;
  return out;
}

describe("An enrolment", () => {
  test("brings the local portal's public key, and the shared key back", () => {
    for (const shared of [undefined, SHARED]) {
      const { message, complete } = request();
      const enrolment = answer(message, shared);
      expect(enrolment?.publicKey).toEqual(LOCAL.publicKey);
      expect(complete(enrolment?.response as Uint8Array)).toEqual({ sharedKey: shared });
    }
  });

  test("answers with less than it was asked, so that nobody is flooded by it", () => {
    const { message } = request();
    expect(answer(message)?.response.length).toBeLessThan(message.length);
  });

  test("is refused without the secret, and with a key that nothing can be agreed with", () => {
    expect(answer(request(LOCAL, REMOTE.publicKey, drawn(SECRET_SIZE)).message)).toBeUndefined();
    expect(answer(request().message, undefined, drawn(SECRET_SIZE))).toBeUndefined();
    expect(answer(request(REMOTE).message)).toBeUndefined();
  });

  test("costs no more than a hash where the sender does not know the remote portal's public key", () => {
    expect(isEnrolmentRequest(request(LOCAL, LOCAL.publicKey).message, OWN)).toBe(false);
    expect(isEnrolmentRequest(new Uint8Array(120), OWN)).toBe(false);
    expect(isEnrolmentRequest(new Uint8Array(0), OWN)).toBe(false);
  });

  test("is refused with any byte changed, missing or added, at either end", () => {
    const { message, complete } = request();
    const response = answer(message)?.response as Uint8Array;
    for (let at = 0; at < message.length; at++) expect([at, answer(flipped(message, at))]).toEqual([at, undefined]);
    for (let at = 0; at < response.length; at++) expect([at, complete(flipped(response, at))]).toEqual([at, undefined]);
    expect(answer(message.subarray(1))).toBeUndefined();
    expect(answer(Uint8Array.of(...message, 0))).toBeUndefined();
    expect(complete(response.subarray(0, -1))).toBeUndefined();
    // What was tried before does not use up the request.
    expect(complete(response)).toEqual({ sharedKey: undefined });
  });

  test("played back enrols the same key again, and its response is of no use to another request", () => {
    const first = request();
    const response = answer(first.message)?.response as Uint8Array;
    expect(answer(first.message)?.publicKey).toEqual(LOCAL.publicKey);
    expect(request().complete(response)).toBeUndefined();
  });

  test("shows neither the secret nor the local portal's key to who records it", () => {
    const text = Buffer.from(request().message).toString("latin1");
    for (const hidden of [SECRET, LOCAL.publicKey]) expect(text).not.toContain(Buffer.from(hidden).toString("latin1"));
  });
});
