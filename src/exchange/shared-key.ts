/**
 * Exchange under a key both ends were given: each side contributes 32 random bytes, and the keys of the path follow from the shared
 * key and both whole messages. Neither a replayed initiation nor a replayed response leads to keys that were ever used.
 * Messages are authenticated under keys of their own, never under the shared key itself.
 */
import type { RandomBytes } from "../random.ts";
import { deriveKey, KeyedBlake2s, macEquals } from "../security/blake2s.ts";
import type { SecuritySuite } from "../security/suite.ts";
import { TYPE } from "../wire/datagram.ts";
import { decodeExchange, EXCHANGE_COVERED, encodeExchange, type Hello, RANDOM_SIZE } from "../wire/exchange.ts";
import type { Agreement, Exchange, Initiation, Introduction, Refusal, Response } from "./exchange.ts";

const LABEL = "netcombiner 1";

export class SharedKeyExchange implements Exchange {
  readonly #initiationKey: Uint8Array;
  readonly #suite: SecuritySuite;
  readonly #sharedKey: Uint8Array;
  readonly #run: Uint8Array;
  readonly #random: RandomBytes;

  /**
   * @param sharedKey 32 bytes; all zero where the network is trusted and the suite is `none`
   * @param run 8 random bytes, one per start
   */
  constructor(suite: SecuritySuite, sharedKey: Uint8Array, run: Uint8Array, random: RandomBytes) {
    this.#suite = suite;
    this.#sharedKey = sharedKey;
    this.#run = run;
    this.#random = random;
    this.#initiationKey = deriveKey(sharedKey, `${LABEL} initiation`);
  }

  initiate(introduction: Introduction): Initiation {
    const hello = this.#hello(introduction);
    const message = encodeExchange(TYPE.EXCHANGE_INITIATION, 0, hello);
    sign(message, this.#initiationKey);
    return { message, complete: (response) => this.#complete(message, hello, response) };
  }

  read(initiation: Uint8Array): Hello | Refusal {
    const decoded = decodeExchange(initiation);
    if (typeof decoded === "string") return decoded === "version" ? "version" : "malformed";
    if (!isSigned(initiation, this.#initiationKey)) return this.#unsigned(decoded.hello);
    return decoded.hello.security === this.#suite.id ? decoded.hello : "security";
  }

  respond(initiation: Uint8Array, introduction: Introduction): Response | Refusal {
    const peer = this.read(initiation);
    if (typeof peer === "string") return peer;
    const message = encodeExchange(TYPE.EXCHANGE_RESPONSE, peer.index, this.#hello(introduction));
    sign(message, this.#responseKey(peer.random));
    return { message, agreement: this.#agree(peer, initiation, message, false) };
  }

  #complete(initiation: Uint8Array, hello: Hello, response: Uint8Array): Agreement | Refusal {
    const decoded = decodeExchange(response);
    if (typeof decoded === "string") return decoded === "version" ? "version" : "malformed";
    if (decoded.receiverIndex !== hello.index) return "unexpected";
    if (!isSigned(response, this.#responseKey(hello.random))) return this.#unsigned(decoded.hello);
    if (decoded.hello.security !== this.#suite.id) return "security";
    return this.#agree(decoded.hello, initiation, response, true);
  }

  /** Another suite means other keys. The word of an unsigned message is not believed, but it is the likeliest thing to tell a person. */
  #unsigned(hello: Hello): Refusal {
    return hello.security === this.#suite.id ? "forged" : "security";
  }

  #agree(peer: Hello, initiation: Uint8Array, response: Uint8Array, isInitiator: boolean): Agreement {
    const covered = [initiation.subarray(0, EXCHANGE_COVERED), response.subarray(0, EXCHANGE_COVERED)] as const;
    const master = deriveKey(this.#sharedKey, `${LABEL} path`, ...covered);
    const toResponder = deriveKey(master, "initiator to responder");
    const toInitiator = deriveKey(master, "responder to initiator");
    const run = peer.run.toHex();
    const security = isInitiator
      ? this.#suite.create(toResponder, toInitiator, run)
      : this.#suite.create(toInitiator, toResponder, run);
    return { peer, run, security };
  }

  #hello(introduction: Introduction): Hello {
    const random = new Uint8Array(RANDOM_SIZE);
    this.#random(random);
    return { ...introduction, security: this.#suite.id, run: this.#run, random };
  }

  #responseKey(initiatorRandom: Uint8Array): Uint8Array {
    return deriveKey(this.#sharedKey, `${LABEL} response`, initiatorRandom);
  }
}

function sign(message: Uint8Array, key: Uint8Array): void {
  message.set(new KeyedBlake2s(key).compute(message.subarray(0, EXCHANGE_COVERED)), EXCHANGE_COVERED);
}

function isSigned(message: Uint8Array, key: Uint8Array): boolean {
  return macEquals(new KeyedBlake2s(key).compute(message.subarray(0, EXCHANGE_COVERED)), message, EXCHANGE_COVERED);
}
