import { describe, expect, test } from "bun:test";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { Handshake, type Pattern } from "../../src/exchange/noise.ts";
import { KeyPair } from "../../src/security/x25519.ts";
// The vectors of cacophony (Haskell), as snow (Rust) keeps them.
import vectors from "../vectors/noise.json";

const hex = (text: string) => Uint8Array.fromHex(text);
const keyPair = (text: string | undefined) => (text === undefined ? undefined : new KeyPair(hex(text)));

function ends(vector: (typeof vectors)[number]) {
  const pattern = /^Noise_(\w+?)_/.exec(vector.protocol_name)?.[1] as Pattern;
  const initiator = new Handshake(pattern, {
    isInitiator: true,
    prologue: hex(vector.init_prologue),
    psk: hex(vector.init_psks[0] as string),
    ephemeral: new KeyPair(hex(vector.init_ephemeral)),
    static: keyPair(vector.init_static),
    remoteStatic: vector.init_remote_static === undefined ? undefined : hex(vector.init_remote_static),
  });
  const responder = new Handshake(pattern, {
    isInitiator: false,
    prologue: hex(vector.resp_prologue),
    psk: hex(vector.resp_psks[0] as string),
    ephemeral: new KeyPair(hex(vector.resp_ephemeral)),
    static: keyPair(vector.resp_static),
  });
  return { initiator, responder };
}

/** The n-th message under a key of the finished handshake. */
function transport(key: Uint8Array, n: number, payload: Uint8Array): string {
  const nonce = new Uint8Array(12);
  nonce[4] = n;
  return chacha20poly1305(key, nonce).encrypt(payload).toHex();
}

test("the vectors are of both patterns", () => {
  expect(vectors.map((vector) => vector.protocol_name.split("_")[1])).toEqual(["NNpsk0", "IKpsk2"]);
});

describe.each(vectors)("$protocol_name", (vector) => {
  test("writes and reads the known messages and ends with the known hash and keys", () => {
    const { initiator, responder } = ends(vector);
    const [first, second, ...rest] = vector.messages;
    const steps = [
      [first, initiator, responder],
      [second, responder, initiator],
    ] as const;
    for (const [message, from, to] of steps) {
      const written = from.write(hex(message?.payload ?? ""));
      expect(written?.toHex()).toBe(message?.ciphertext as string);
      expect(to.read(written as Uint8Array)?.toHex()).toBe(message?.payload as string);
    }
    expect(initiator.hash.toHex()).toBe(vector.handshake_hash);
    expect(responder.hash.toHex()).toBe(vector.handshake_hash);
    expect(responder.split()).toEqual(initiator.split());
    const keys = initiator.split();
    for (const [i, message] of rest.entries()) {
      expect(transport(keys[i % 2] as Uint8Array, i >> 1, hex(message.payload))).toBe(message.ciphertext);
    }
  });

  test("reads no message with a flipped bit, cut short, or under another prologue", () => {
    const payload = new Uint8Array(20);
    const message = ends(vector).initiator.write(payload) as Uint8Array;
    for (let i = 0; i < message.length; i++) {
      const changed = message.with(i, (message[i] as number) ^ 1);
      expect(ends(vector).responder.read(changed)).toBeUndefined();
      expect(ends(vector).responder.read(message.subarray(0, i))).toBeUndefined();
    }
    expect(ends({ ...vector, resp_prologue: "00" }).responder.read(message)).toBeUndefined();
  });

  test("ends at an ephemeral key of low order", () => {
    const { initiator, responder } = ends(vector);
    responder.read(initiator.write(new Uint8Array(0)) as Uint8Array);
    const answer = responder.write(new Uint8Array(0)) as Uint8Array;
    answer.fill(0, 0, 32);
    expect(initiator.read(answer)).toBeUndefined();
  });
});
