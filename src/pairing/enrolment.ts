/**
 * The enrolment: the local portal's public key reaches the remote one, once, before there is a tunnel between them. One
 * message each way on the tunnel's UDP port, a Noise handshake whose pre-shared key is the secret of the token:
 *
 *     INITIATION   | header: 8 | noise: e 32, s 32 + 16, empty payload 16 | mac1: 16 |
 *     RESPONSE     | header: 8 | noise: e 32, payload 33 + 16             | mac1: 16 |
 *
 * The payload is a flag and the shared key that both portals use besides their key pairs, zeros without one. The first message
 * proves that its sender has the secret and the private key of `s`: played back, it enrols the same key again. The response
 * proves that the remote portal has read it. Header and mac1 are those of an exchange (`wire/exchange-messages.ts`).
 */
import { AddressKeys } from "../exchange/cookies.ts";
import { concatenate, Handshake, NOISE_OVERHEAD } from "../exchange/noise.ts";
import type { RandomBytes } from "../random.ts";
import { deriveKey } from "../security/blake2s.ts";
import { isPublicKey, KeyPair, X25519_SIZE } from "../security/x25519.ts";
import { HEADER_SIZE, TYPE } from "../wire/datagram.ts";
import { exchangeHeader, MAC_SIZE, PATTERN, PROTOCOL_VERSION, readExchangeHeader } from "../wire/exchange-messages.ts";

/** Bytes of the secret in the token: nobody guesses 128 bits, and the token stays short. */
export const SECRET_SIZE = 16;

const PROLOGUE = new TextEncoder().encode("netcombiner 1 enrolment");
const KEYS_SIZE = 1 + X25519_SIZE;
const FLAG_SHARED_KEY = 1;
const INITIATION_SIZE = HEADER_SIZE + NOISE_OVERHEAD.IKpsk0.first + MAC_SIZE;
const RESPONSE_SIZE = HEADER_SIZE + NOISE_OVERHEAD.IKpsk0.second + KEYS_SIZE + MAC_SIZE;
const NO_KEY = new Uint8Array(X25519_SIZE);

/** The message of the local portal, and how it reads the response. */
export interface EnrolmentRequest {
  /** To be sent again until a response comes. */
  readonly message: Uint8Array;
  /** Returns the keys if the remote portal has accepted the request; undefined for anything else. */
  complete(response: Uint8Array): { readonly sharedKey: Uint8Array | undefined } | undefined;
  /** Erases the keys of the handshake. */
  wipe(): void;
}

/** Returns the request of the owner of `keyPair` to the remote portal with this public key. */
export function requestEnrolment(
  keyPair: KeyPair,
  remoteKey: Uint8Array,
  secret: Uint8Array,
  random: RandomBytes,
): EnrolmentRequest {
  const header = exchangeHeader(TYPE.EXCHANGE_INITIATION, 0, PATTERN.enrolment);
  const handshake = newHandshake(true, header, secret, keyPair, remoteKey, random);
  const noise = handshake.write(new Uint8Array(0)) ?? new Uint8Array(0);
  const own = new AddressKeys(keyPair.publicKey);
  return {
    message: withMac(remoteKey, concatenate(header, noise)),
    complete: (response) => {
      if (!hasShape(response, TYPE.EXCHANGE_RESPONSE, RESPONSE_SIZE, own)) return undefined;
      // A forged response must not use up the handshake.
      const reader = handshake.clone();
      const keys = reader.read(response.subarray(HEADER_SIZE, RESPONSE_SIZE - MAC_SIZE));
      reader.wipe();
      if (keys?.length !== KEYS_SIZE) return undefined;
      return { sharedKey: keys[0] === FLAG_SHARED_KEY ? keys.slice(1) : undefined };
    },
    wipe: () => handshake.wipe(),
  };
}

/** A request that proved to know the secret. */
export interface Enrolment {
  /** The local portal's public key. */
  readonly publicKey: Uint8Array;
  /** The response to send, smaller than the request. */
  readonly response: Uint8Array;
}

/** True if the datagram may be a request: its sender knows our public key. Costs one hash. @param own made of our public key */
export function isEnrolmentRequest(message: Uint8Array, own: AddressKeys): boolean {
  return hasShape(message, TYPE.EXCHANGE_INITIATION, INITIATION_SIZE, own);
}

/** Returns the key of a request that knows the secret, with its response; undefined for any other. */
export function answerEnrolment(
  message: Uint8Array,
  keyPair: KeyPair,
  secret: Uint8Array,
  sharedKey: Uint8Array | undefined,
  random: RandomBytes,
): Enrolment | undefined {
  const handshake = newHandshake(false, message.subarray(0, HEADER_SIZE), secret, keyPair, undefined, random);
  try {
    return respond(handshake, message, keyPair.publicKey, sharedKey);
  } finally {
    handshake.wipe();
  }
}

function respond(
  handshake: Handshake,
  message: Uint8Array,
  own: Uint8Array,
  sharedKey: Uint8Array | undefined,
): Enrolment | undefined {
  const payload = handshake.read(message.subarray(HEADER_SIZE, INITIATION_SIZE - MAC_SIZE));
  const publicKey = handshake.remoteStatic;
  if (payload?.length !== 0 || !publicKey || !isPublicKey(publicKey)) return undefined;
  // A portal is not its own peer.
  if (Buffer.from(publicKey).equals(own)) return undefined;
  const keys = concatenate(Uint8Array.of(sharedKey ? FLAG_SHARED_KEY : 0), sharedKey ?? NO_KEY);
  const header = exchangeHeader(TYPE.EXCHANGE_RESPONSE, 0, PATTERN.enrolment);
  const noise = handshake.write(keys);
  return noise && { publicKey, response: withMac(publicKey, concatenate(header, noise)) };
}

function newHandshake(
  isInitiator: boolean,
  header: Uint8Array,
  secret: Uint8Array,
  keyPair: KeyPair,
  remoteStatic: Uint8Array | undefined,
  random: RandomBytes,
): Handshake {
  const ephemeral = new Uint8Array(X25519_SIZE);
  random(ephemeral);
  const ephemeralPair = new KeyPair(ephemeral);
  ephemeral.fill(0);
  return new Handshake("IKpsk0", {
    isInitiator,
    prologue: concatenate(PROLOGUE, header),
    ephemeral: ephemeralPair,
    psk: deriveKey(NO_KEY, "netcombiner 1 enrolment", secret),
    static: keyPair,
    remoteStatic,
  });
}

function withMac(addressee: Uint8Array, covered: Uint8Array): Uint8Array {
  return concatenate(covered, new AddressKeys(addressee).mac1(covered));
}

function hasShape(message: Uint8Array, type: number, size: number, own: AddressKeys): boolean {
  const header = readExchangeHeader(message);
  const isKind = header?.type === type && header.version === PROTOCOL_VERSION && header.pattern === PATTERN.enrolment;
  return isKind && message.length === size && own.hasMac1(message, size - MAC_SIZE);
}
