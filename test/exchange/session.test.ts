import { describe, expect, test } from "bun:test";
import { Handshake } from "../../src/exchange/noise.ts";
import { NoiseSession } from "../../src/exchange/session.ts";
import { PORTABLE_CIPHERS } from "../../src/security/portable-ciphers.ts";
import { SealedSuite } from "../../src/security/suite.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";

const [PAIR_A, PAIR_B, PAIR_C] = [1, 2, 3].map((n) => new KeyPair(counting(32, 10 * n))) as [KeyPair, KeyPair, KeyPair];
/** The hash of the handshake that made the path. */
const BINDING = counting(32, 5);

/** The session of one end of a path, which has `own` and takes the peer for `peer`; the path's own keys play no part. */
function sessionOf(own: KeyPair, peer: KeyPair): NoiseSession {
  const suite = new SealedSuite("aes-256-gcm", PORTABLE_CIPHERS);
  const use = { sendIndex: 1, receiveIndex: 2, peerRun: "00" };
  return new NoiseSession(suite, BINDING, use, peer.publicKey, (isInitiator, prologue) => {
    const ephemeral = new KeyPair(counting(32, isInitiator ? 60 : 70));
    const remoteStatic = isInitiator ? peer.publicKey : undefined;
    return new Handshake("IKpsk2", {
      isInitiator,
      prologue,
      ephemeral,
      psk: new Uint8Array(32),
      static: own,
      remoteStatic,
    });
  });
}

describe("The session of a path between key pairs", () => {
  test("renews its keys between the two that made it", () => {
    const question = sessionOf(PAIR_A, PAIR_B).renew(1);
    const answer = sessionOf(PAIR_B, PAIR_A).answer(1, question.message);
    expect(answer).toBeDefined();
    expect(question.complete(answer?.message as Uint8Array)).toBeDefined();
  });

  test("refuses a rekey of somebody else, even if he has learned the path's keys and its hash", () => {
    expect(sessionOf(PAIR_B, PAIR_A).answer(1, sessionOf(PAIR_C, PAIR_B).renew(1).message)).toBeUndefined();
    const question = sessionOf(PAIR_A, PAIR_B).renew(1);
    const impostor = sessionOf(PAIR_C, PAIR_A).answer(1, question.message);
    expect(impostor && question.complete(impostor.message)).toBeUndefined();
  });
});
