/**
 * The keys of a path and how they change. A rekey is the same handshake as in the beginning, with new ephemeral keys, bound to the
 * exchange that made the path and to its place in the order of rekeys; its messages travel sealed on the path, so that nobody else
 * can begin one or play one back.
 */

import { deriveKey, macEquals } from "../security/blake2s.ts";
import type { PathKeys } from "../security/path-keys.ts";
import type { Security } from "../security/security.ts";
import type { SecuritySuite } from "../security/suite.ts";
import type { Rekey, Session } from "./exchange.ts";
import { concatenate, type Handshake } from "./noise.ts";

const PROLOGUE = new TextEncoder().encode("netcombiner 1 rekey");
const NO_KEY = new Uint8Array(32);
const NO_PAYLOAD = new Uint8Array(0);

export type KeyUse = Omit<PathKeys, "send" | "receive">;

/** Derives the security of a path from a finished handshake: from its secrets, its hash, and the suite's name. */
export function pathSecurity(suite: SecuritySuite, handshake: Handshake, isInitiator: boolean, use: KeyUse): Security {
  const secrets = handshake.split();
  const keys = secrets.map((key) => deriveKey(key, `netcombiner 1 ${suite.name}`, handshake.hash));
  const [toResponder, toInitiator] = keys as [Uint8Array, Uint8Array];
  const [send, receive] = isInitiator ? [toResponder, toInitiator] : [toInitiator, toResponder];
  const security = suite.create({ ...use, send, receive });
  for (const secret of [...secrets, ...keys]) secret.fill(0);
  return security;
}

export class NoiseSession implements Session {
  readonly #suite: SecuritySuite;
  readonly #binding: Uint8Array;
  readonly #use: KeyUse;
  readonly #peerKey: Uint8Array | undefined;
  readonly #makeHandshake: (isInitiator: boolean, prologue: Uint8Array) => Handshake;

  /**
   * @param binding hash of the handshake that made the path
   * @param peerKey the peer's public key, where there are key pairs
   */
  constructor(
    suite: SecuritySuite,
    binding: Uint8Array,
    use: KeyUse,
    peerKey: Uint8Array | undefined,
    makeHandshake: (isInitiator: boolean, prologue: Uint8Array) => Handshake,
  ) {
    this.#suite = suite;
    this.#binding = binding;
    this.#use = use;
    this.#peerKey = peerKey;
    this.#makeHandshake = makeHandshake;
  }

  get isRenewable(): boolean {
    return this.#suite.name !== "none";
  }

  renew(epoch: number): Rekey {
    const handshake = this.#makeHandshake(true, this.#prologue(epoch));
    return {
      message: handshake.write(NO_PAYLOAD) ?? NO_PAYLOAD,
      complete: (answer) => {
        const reader = handshake.clone();
        const security = reader.read(answer) ? pathSecurity(this.#suite, reader, true, this.#use) : undefined;
        reader.wipe();
        return security;
      },
      wipe: () => handshake.wipe(),
    };
  }

  answer(epoch: number, message: Uint8Array) {
    const handshake = this.#makeHandshake(false, this.#prologue(epoch));
    try {
      return this.#answer(handshake, message);
    } finally {
      handshake.wipe();
    }
  }

  #answer(handshake: Handshake, message: Uint8Array) {
    if (!handshake.read(message)) return undefined;
    // Who learned the keys of the path must not be able to go on with a key pair of his own.
    if (this.#peerKey && !macEquals(this.#peerKey, handshake.remoteStatic ?? NO_KEY, 0)) return undefined;
    const answer = handshake.write(NO_PAYLOAD);
    if (!answer) return undefined;
    return { message: answer, security: pathSecurity(this.#suite, handshake, false, this.#use) };
  }

  #prologue(epoch: number): Uint8Array {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, epoch);
    return concatenate(PROLOGUE, this.#binding, number);
  }
}
