/**
 * The Noise Protocol Framework (noiseprotocol.org, revision 34) with X25519, ChaCha20-Poly1305 and BLAKE2s, for the two patterns an
 * exchange uses. One message each way:
 *
 *     IKpsk2   <- s   ...   -> e, es, s, ss   <- e, ee, se, psk       key pairs, as WireGuard; the key shared besides may be zeros
 *     NNpsk0                -> psk, e         <- e, ee                a shared key alone
 *     IKpsk0   <- s   ...   -> psk, e, es, s, ss   <- e, ee, se      an enrolment (`pairing/enrolment.ts`)
 *
 * What does not decrypt, and a public key of low order, end the handshake: the methods then return undefined.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { hmacBlake2s, secretBytes } from "../security/blake2s.ts";
import { type KeyPair, X25519_SIZE } from "../security/x25519.ts";

export type Pattern = "IKpsk0" | "IKpsk2" | "NNpsk0";

type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

const PATTERNS: Readonly<Record<Pattern, readonly (readonly Token[])[]>> = {
  IKpsk0: [
    ["psk", "e", "es", "s", "ss"],
    ["e", "ee", "se"],
  ],
  IKpsk2: [
    ["e", "es", "s", "ss"],
    ["e", "ee", "se", "psk"],
  ],
  NNpsk0: [
    ["psk", "e"],
    ["e", "ee"],
  ],
};

const NOISE_TAG_SIZE = 16;
const HASH_SIZE = 32;

/** Bytes that a message adds to its payload: keys in the clear, keys encrypted, and the payload's tag. */
export const NOISE_OVERHEAD: Readonly<Record<Pattern, { readonly first: number; readonly second: number }>> = {
  IKpsk0: { first: X25519_SIZE + X25519_SIZE + 2 * NOISE_TAG_SIZE, second: X25519_SIZE + NOISE_TAG_SIZE },
  IKpsk2: { first: X25519_SIZE + X25519_SIZE + 2 * NOISE_TAG_SIZE, second: X25519_SIZE + NOISE_TAG_SIZE },
  NNpsk0: { first: X25519_SIZE + NOISE_TAG_SIZE, second: X25519_SIZE + NOISE_TAG_SIZE },
};

export interface HandshakeKeys {
  readonly isInitiator: boolean;
  /** Both ends must say the same here. */
  readonly prologue: Uint8Array;
  readonly ephemeral: KeyPair;
  /** 32 bytes. */
  readonly psk: Uint8Array;
  /** Own key pair; IKpsk2 only. */
  readonly static?: KeyPair | undefined;
  /** The responder's public key; known to the initiator of IKpsk2. */
  readonly remoteStatic?: Uint8Array | undefined;
}

export class Handshake {
  readonly #pattern: Pattern;
  readonly #keys: HandshakeKeys;
  readonly #tokens: readonly (readonly Token[])[];
  #state: SymmetricState;
  #message = 0;
  #isCopy = false;
  #remoteEphemeral = new Uint8Array(X25519_SIZE);
  #remoteStatic: Uint8Array | undefined;

  constructor(pattern: Pattern, keys: HandshakeKeys) {
    this.#pattern = pattern;
    this.#keys = keys;
    this.#tokens = PATTERNS[pattern];
    this.#state = new SymmetricState(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2s`);
    this.#state.mixHash(keys.prologue);
    this.#remoteStatic = keys.remoteStatic;
    const responderStatic = keys.isInitiator ? keys.remoteStatic : keys.static?.publicKey;
    if (pattern !== "NNpsk0" && responderStatic) this.#state.mixHash(responderStatic);
  }

  /** The peer's public key, once the message that brings it was read. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  /** The handshake hash, over all messages: the same at both ends, and unique to this handshake. */
  get hash(): Uint8Array {
    return this.#state.hash.slice();
  }

  /** Returns the next message, with `payload` encrypted; undefined for a peer's key of low order. */
  write(payload: Uint8Array): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (const token of this.#tokens[this.#message++] ?? []) {
      if (token === "e") {
        parts.push(this.#keys.ephemeral.publicKey);
        this.#takeEphemeral(this.#keys.ephemeral.publicKey);
      } else if (token === "s") {
        parts.push(this.#state.encrypt((this.#keys.static as KeyPair).publicKey));
      } else if (!this.#mix(token)) return undefined;
    }
    return concatenate(...parts, this.#state.encrypt(payload));
  }

  /** Returns the payload of the peer's next message; undefined if it is not authentic. */
  read(message: Uint8Array): Uint8Array | undefined {
    let at = 0;
    const take = (size: number) => {
      at += size;
      return message.subarray(at - size, at);
    };
    for (const token of this.#tokens[this.#message++] ?? []) {
      if (token === "e") {
        this.#remoteEphemeral = take(X25519_SIZE).slice();
        this.#takeEphemeral(this.#remoteEphemeral);
      } else if (token === "s") {
        const key = this.#state.decrypt(take(X25519_SIZE + NOISE_TAG_SIZE));
        if (!key) return undefined;
        this.#remoteStatic = key;
      } else if (!this.#mix(token)) return undefined;
    }
    return this.#state.decrypt(message.subarray(at));
  }

  /** Returns a copy at the same point, so that a message can be tried without changing this one. */
  clone(): Handshake {
    const copy = new Handshake(this.#pattern, this.#keys);
    copy.#state = this.#state.clone();
    copy.#message = this.#message;
    copy.#isCopy = true;
    copy.#remoteEphemeral = this.#remoteEphemeral;
    copy.#remoteStatic = this.#remoteStatic;
    return copy;
  }

  /** Erases the secrets of this handshake and, unless it is a copy, its ephemeral key. */
  wipe(): void {
    this.#state.wipe();
    if (!this.#isCopy) this.#keys.ephemeral.wipe();
  }

  /** Returns two keys of 32 bytes: initiator to responder, responder to initiator. */
  split(): readonly [Uint8Array, Uint8Array] {
    return this.#state.split();
  }

  /** Mixes an ephemeral key in, as Noise does where there is a shared key: no two messages are encrypted under the same key. */
  #takeEphemeral(publicKey: Uint8Array): void {
    this.#state.mixHash(publicKey);
    this.#state.mixKey(publicKey);
  }

  #mix(token: Exclude<Token, "e" | "s">): boolean {
    if (token === "psk") {
      this.#state.mixKeyAndHash(this.#keys.psk);
      return true;
    }
    const secret = this.#agree(token);
    if (!secret) return false;
    this.#state.mixKey(secret);
    secret.fill(0);
    return true;
  }

  /** Returns the shared secret of a token, whose first letter is the initiator's key and whose second is the responder's. */
  #agree(token: "ee" | "es" | "se" | "ss"): Uint8Array | undefined {
    const { isInitiator, ephemeral } = this.#keys;
    const [ours, theirs] = isInitiator ? [token[0], token[1]] : [token[1], token[0]];
    const remote = theirs === "e" ? this.#remoteEphemeral : this.#remoteStatic;
    const own = ours === "e" ? ephemeral : this.#keys.static;
    return remote && own?.agree(remote);
  }
}

class SymmetricState {
  hash: Uint8Array;
  #chain: Uint8Array;
  #key: Uint8Array | undefined;
  #counter = 0;

  constructor(protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    this.hash = name.length > HASH_SIZE ? blake2s(name) : concatenate(name, new Uint8Array(HASH_SIZE - name.length));
    this.#chain = this.hash.slice();
  }

  wipe(): void {
    this.#chain.fill(0);
    this.#key?.fill(0);
  }

  clone(): SymmetricState {
    const copy = new SymmetricState("");
    copy.hash = this.hash;
    copy.#chain = concatenate(this.#chain);
    copy.#key = this.#key && concatenate(this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.hash = blake2s(concatenate(this.hash, data));
  }

  mixKey(input: Uint8Array): void {
    const [chain, key] = expand(this.#chain, input, 2);
    this.wipe();
    this.#chain = chain as Uint8Array;
    this.#key = key;
    this.#counter = 0;
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chain, hash, key] = expand(this.#chain, input, 3) as [Uint8Array, Uint8Array, Uint8Array];
    this.wipe();
    this.#chain = chain;
    this.mixHash(hash);
    hash.fill(0);
    this.#key = key;
    this.#counter = 0;
  }

  /** Encrypts with the present key, which the patterns above provide before the first payload. */
  encrypt(plaintext: Uint8Array): Uint8Array {
    const cipher = chacha20poly1305(this.#key as Uint8Array, this.#nonce(), this.hash);
    const ciphertext = cipher.encrypt(plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decrypt(ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length < NOISE_TAG_SIZE) return undefined;
    const cipher = chacha20poly1305(this.#key as Uint8Array, this.#nonce(), this.hash);
    try {
      const plaintext = cipher.decrypt(ciphertext);
      this.mixHash(ciphertext);
      return plaintext;
    } catch {
      return undefined;
    }
  }

  split(): readonly [Uint8Array, Uint8Array] {
    return expand(this.#chain, new Uint8Array(0), 2) as [Uint8Array, Uint8Array];
  }

  /** Returns the next nonce: four bytes of zero and a counter, little-endian. */
  #nonce(): Uint8Array {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(4, this.#counter++, true);
    return nonce;
  }
}

/** Derives keys with HKDF as Noise has it (RFC 5869 with BLAKE2s). */
function expand(chain: Uint8Array, input: Uint8Array, outputs: number): Uint8Array[] {
  const secret = hmacBlake2s(chain, input);
  const out: Uint8Array[] = [];
  for (let i = 1; i <= outputs; i++) {
    const message = concatenate(out.at(-1) ?? new Uint8Array(0), Uint8Array.of(i));
    out.push(hmacBlake2s(secret, message));
    message.fill(0);
  }
  secret.fill(0);
  return out;
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const out = secretBytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
