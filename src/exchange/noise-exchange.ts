/**
 * The exchange: a Noise handshake whose messages carry a hello. With key pairs it is IKpsk2, as WireGuard's; with a shared key alone it is
 * NNpsk0, which the shared key authenticates. Either way both ends contribute an ephemeral key, so recorded traffic stays secret when
 * keys become known later. The keys of a path are derived from the secrets and from the hash over both messages.
 */
import type { Micros } from "../clock.ts";
import type { Endpoint } from "../endpoint.ts";
import type { X25519 } from "../ports.ts";
import type { RandomBytes } from "../random.ts";
import { macEquals, secretBytes } from "../security/blake2s.ts";
import { NO_COMMON_SUITE, type Offer, suiteNames } from "../security/offer.ts";
import { KeyPair, RUNTIME_X25519, X25519_SIZE } from "../security/x25519.ts";
import { HEADER_SIZE, TYPE } from "../wire/datagram.ts";
import {
  decodeHello,
  encodeHello,
  exchangeHeader,
  HELLO_SIZE,
  type Hello,
  MAC_SIZE,
  PATTERN,
  PROTOCOL_VERSION,
  readExchangeHeader,
} from "../wire/exchange-messages.ts";
import { AddressKeys, COOKIE_LIFE, CookieJar, mac2 } from "./cookies.ts";
import type {
  Agreement,
  Exchange,
  Initiation,
  Introduction,
  Question,
  Refusal,
  Refused,
  Response,
} from "./exchange.ts";
import { concatenate, Handshake, NOISE_OVERHEAD, type Pattern } from "./noise.ts";
import { NoiseSession, pathSecurity } from "./session.ts";

const PROLOGUE = new TextEncoder().encode("netcombiner 1 path");

/** The keys by which this portal and its peer know each other. */
export interface Identity {
  /** 32 bytes; zeros where there are key pairs alone, or where the network is trusted. */
  readonly sharedKey: Uint8Array;
  /** Both or neither. */
  readonly keyPair?: KeyPair | undefined;
  readonly peerKey?: Uint8Array | undefined;
}

export class NoiseExchange implements Exchange {
  readonly #offer: Offer;
  readonly #identity: Identity;
  readonly #run: Uint8Array;
  readonly #random: RandomBytes;
  readonly #x25519: X25519;
  readonly #pattern: Pattern;
  /** The number of the pattern, or the one for keys that everybody has. */
  readonly #kind: number;
  readonly #sizes: { readonly initiation: number; readonly response: number };
  readonly #ours: AddressKeys;
  readonly #peers: AddressKeys;
  readonly #jar: CookieJar;
  /** The peer's last cookie. */
  #cookie: Uint8Array | undefined;
  #cookieAt: Micros = 0;
  #attempts = 0;

  /** @param run 8 random bytes, one per start */
  constructor(offer: Offer, identity: Identity, run: Uint8Array, random: RandomBytes, x25519 = RUNTIME_X25519) {
    this.#x25519 = x25519;
    this.#offer = offer;
    this.#identity = identity;
    this.#run = run;
    this.#random = random;
    this.#pattern = identity.keyPair ? "IKpsk2" : "NNpsk0";
    const isOpen = !identity.keyPair && identity.sharedKey.every((byte) => byte === 0);
    this.#kind = isOpen ? PATTERN.open : PATTERN[this.#pattern];
    const { first, second } = NOISE_OVERHEAD[this.#pattern];
    this.#sizes = {
      initiation: HEADER_SIZE + first + HELLO_SIZE + 2 * MAC_SIZE,
      response: HEADER_SIZE + second + HELLO_SIZE + MAC_SIZE,
    };
    this.#ours = new AddressKeys(identity.keyPair?.publicKey ?? identity.sharedKey);
    this.#peers = new AddressKeys(identity.peerKey ?? identity.sharedKey);
    this.#jar = new CookieJar(random);
  }

  initiate(now: Micros, introduction: Introduction): Initiation {
    const header = exchangeHeader(TYPE.EXCHANGE_INITIATION, 0, this.#kind);
    const handshake = this.#handshake(true, header);
    const hello = this.#hello(introduction, this.#attempts++, 0);
    // Configuration refuses a peer's public key of low order.
    const noise = handshake.write(encodeHello(hello)) ?? new Uint8Array(0);
    const covered = concatenate(header, noise);
    const mac1 = this.#peers.mac1(covered);
    const message = concatenate(covered, mac1, new Uint8Array(MAC_SIZE));
    if (this.#cookie && now - this.#cookieAt < COOKIE_LIFE)
      message.set(mac2(this.#cookie, message), message.length - MAC_SIZE);
    return {
      message,
      complete: (response) => this.#complete(handshake, hello.index, response),
      takeCookie: (at, cookie) => this.#takeCookie(at, message, mac1, cookie),
      wipe: () => handshake.wipe(),
    };
  }

  check(initiation: Uint8Array): Refused | undefined {
    const fault = this.#shapeFault(initiation, TYPE.EXCHANGE_INITIATION, this.#sizes.initiation);
    if (fault) return { refusal: fault };
    return this.#ours.hasMac1(initiation, initiation.length - 2 * MAC_SIZE) ? undefined : { refusal: "forged" };
  }

  showsCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): boolean {
    return this.#jar.isShown(now, remote, initiation);
  }

  askForCookie(now: Micros, initiation: Uint8Array, remote: Endpoint): Uint8Array {
    const mac1 = initiation.subarray(initiation.length - 2 * MAC_SIZE, initiation.length - MAC_SIZE);
    return this.#ours.sealCookie(this.#jar.bake(now, remote), mac1, this.#kind, this.#random);
  }

  read(initiation: Uint8Array): Question | Refused {
    const handshake = this.#handshake(false, initiation.subarray(0, HEADER_SIZE));
    const payload = handshake.read(initiation.subarray(HEADER_SIZE, initiation.length - 2 * MAC_SIZE));
    const { remoteStatic } = handshake;
    const isStranger = remoteStatic !== undefined && !macEquals(remoteStatic, this.#identity.peerKey as Uint8Array, 0);
    const hello = payload && !isStranger ? decodeHello(payload) : undefined;
    if (hello) {
      const respond = (introduction: Introduction) => this.#respond(handshake, hello, introduction);
      return { hello, respond, wipe: () => handshake.wipe() };
    }
    handshake.wipe();
    if (isStranger) return { refusal: "unknown-key", detail: remoteStatic.toBase64() };
    return { refusal: payload ? "malformed" : "forged" };
  }

  #respond(handshake: Handshake, peer: Hello, introduction: Introduction): Response {
    const suite = this.#offer.choose(peer);
    const header = exchangeHeader(TYPE.EXCHANGE_RESPONSE, peer.index, this.#kind);
    const hello = this.#hello(introduction, 0, suite?.id ?? NO_COMMON_SUITE);
    const noise = handshake.write(encodeHello(hello));
    if (!noise) return { message: new Uint8Array(0), agreement: { refusal: "forged" } };
    const covered = concatenate(header, noise);
    const message = concatenate(covered, this.#peers.mac1(covered));
    return { message, agreement: this.#agree(handshake, false, hello, peer, suite?.id ?? NO_COMMON_SUITE) };
  }

  #complete(handshake: Handshake, index: number, response: Uint8Array): Agreement | Refused {
    const fault = this.#shapeFault(response, TYPE.EXCHANGE_RESPONSE, this.#sizes.response);
    if (fault) return { refusal: fault };
    if (readExchangeHeader(response)?.receiverIndex !== index) return { refusal: "unexpected" };
    const end = response.length - MAC_SIZE;
    if (!this.#ours.hasMac1(response, end)) return { refusal: "forged" };
    // A forged response must not use up the handshake: each is read by a copy.
    const reader = handshake.clone();
    try {
      const payload = reader.read(response.subarray(HEADER_SIZE, end));
      if (!payload) return { refusal: this.#identity.keyPair ? "shared-key" : "forged" };
      const peer = decodeHello(payload);
      if (!peer) return { refusal: "malformed" };
      return this.#agree(reader, true, { index }, peer, peer.chosen);
    } finally {
      reader.wipe();
    }
  }

  #agree(
    handshake: Handshake,
    isInitiator: boolean,
    own: { readonly index: number },
    peer: Hello,
    chosen: number,
  ): Agreement | Refused {
    const suite = this.#offer.find(chosen);
    if (!suite) return { refusal: "security", detail: suiteNames(peer.suites) };
    const run = peer.run.toHex();
    const indexes = { sendIndex: peer.index, receiveIndex: own.index, peerRun: run };
    const security = pathSecurity(suite, handshake, isInitiator, indexes);
    const makeHandshake = (asInitiator: boolean, prologue: Uint8Array) =>
      new Handshake(this.#pattern, { ...this.#keys(asInitiator), prologue });
    const session = new NoiseSession(suite, handshake.hash, indexes, this.#identity.peerKey, makeHandshake);
    return { peer, run, suite: suite.name, security, session };
  }

  #takeCookie(now: Micros, initiation: Uint8Array, mac1: Uint8Array, message: Uint8Array): boolean {
    const cookie = this.#peers.openCookie(message, mac1);
    if (!cookie) return false;
    this.#cookie = cookie;
    this.#cookieAt = now;
    initiation.set(mac2(cookie, initiation), initiation.length - MAC_SIZE);
    return true;
  }

  /** Compares a message's header and size with what is expected. Neither is authentic, but both are the likeliest reasons to tell a person. */
  #shapeFault(message: Uint8Array, type: number, size: number): Refusal | undefined {
    const header = readExchangeHeader(message);
    if (header?.type !== type) return "malformed";
    if (header.version !== PROTOCOL_VERSION) return "version";
    if (header.pattern !== this.#kind) return "pattern";
    return message.length === size ? undefined : "malformed";
  }

  #handshake(isInitiator: boolean, header: Uint8Array): Handshake {
    return new Handshake(this.#pattern, { ...this.#keys(isInitiator), prologue: concatenate(PROLOGUE, header) });
  }

  #keys(isInitiator: boolean) {
    const { sharedKey, keyPair, peerKey } = this.#identity;
    const secret = secretBytes(X25519_SIZE);
    this.#random(secret);
    const ephemeral = new KeyPair(secret, this.#x25519);
    secret.fill(0);
    return {
      isInitiator,
      psk: sharedKey,
      ephemeral,
      static: keyPair,
      remoteStatic: isInitiator ? peerKey : undefined,
    };
  }

  #hello(introduction: Introduction, attempt: number, chosen: number): Hello {
    const { suites, costs } = this.#offer;
    return { ...introduction, suites, costs, chosen, run: this.#run, attempt };
  }
}
