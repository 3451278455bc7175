// @hot
/**
 * OpenSSL's libcrypto where the system has it (1.1 and 3): its AES-256-GCM and ChaCha20-Poly1305 work in place, without a buffer for each
 * result, and use all that the processor offers. By absolute path only: whatever lies in the working directory is never loaded.
 */
import { dlopen } from "bun:ffi";
import { existsSync } from "node:fs";
import type { Aead, CipherName, Ciphers, X25519 } from "../src/ports.ts";
import { layout } from "./layout.ts";
import { type Address, pointerTo } from "./libc.ts";

/** The calls in use; those that return a number return 1 on success. */
export interface Libcrypto {
  OPENSSL_init_crypto(options: number, settings: Address): number;
  EVP_aes_256_gcm(): Address;
  EVP_chacha20_poly1305(): Address;
  EVP_CIPHER_CTX_new(): Address;
  EVP_CIPHER_CTX_free(context: Address): void;
  EVP_CIPHER_CTX_ctrl(context: Address, command: number, size: number, pointer: Address): number;
  EVP_CipherInit_ex(
    context: Address,
    cipher: Address,
    engine: Address,
    key: Address,
    nonce: Address,
    direction: number,
  ): number;
  EVP_CipherUpdate(context: Address, out: Address, outLength: Address, input: Address, length: number): number;
  EVP_CipherFinal_ex(context: Address, out: Address, outLength: Address): number;
  EVP_PKEY_new_raw_private_key(type: number, engine: Address, key: Address, length: number): Address;
  EVP_PKEY_new_raw_public_key(type: number, engine: Address, key: Address, length: number): Address;
  EVP_PKEY_get_raw_public_key(key: Address, out: Address, length: Address): number;
  EVP_PKEY_free(key: Address): void;
  EVP_PKEY_CTX_new(key: Address, engine: Address): Address;
  EVP_PKEY_CTX_free(context: Address): void;
  EVP_PKEY_derive_init(context: Address): number;
  EVP_PKEY_derive_set_peer(context: Address, peer: Address): number;
  EVP_PKEY_derive(context: Address, out: Address, length: Address): number;
}

const SYMBOLS = {
  OPENSSL_init_crypto: { args: ["u64" /* uint64_t opts */, "ptr" /* const OPENSSL_INIT_SETTINGS * */], returns: "i32" },
  EVP_aes_256_gcm: { args: [], returns: "ptr" /* const EVP_CIPHER * */ },
  EVP_chacha20_poly1305: { args: [], returns: "ptr" /* const EVP_CIPHER * */ },
  EVP_CIPHER_CTX_new: { args: [], returns: "ptr" /* EVP_CIPHER_CTX * */ },
  EVP_CIPHER_CTX_free: { args: ["ptr" /* EVP_CIPHER_CTX *c */], returns: "void" },
  EVP_CIPHER_CTX_ctrl: {
    args: ["ptr" /* EVP_CIPHER_CTX * */, "i32" /* int type */, "i32" /* int arg */, "ptr" /* void *ptr */],
    returns: "i32",
  },
  EVP_CipherInit_ex: {
    args: [
      "ptr" /* EVP_CIPHER_CTX * */,
      "ptr" /* const EVP_CIPHER * */,
      "ptr" /* ENGINE *impl */,
      "ptr" /* const unsigned char *key */,
      "ptr" /* const unsigned char *iv */,
      "i32" /* int enc */,
    ],
    returns: "i32",
  },
  EVP_CipherUpdate: {
    args: [
      "ptr" /* EVP_CIPHER_CTX * */,
      "ptr" /* unsigned char *out */,
      "ptr" /* int *outl */,
      "ptr" /* const unsigned char *in */,
      "i32" /* int inl */,
    ],
    returns: "i32",
  },
  EVP_CipherFinal_ex: {
    args: ["ptr" /* EVP_CIPHER_CTX * */, "ptr" /* unsigned char *outm */, "ptr" /* int *outl */],
    returns: "i32",
  },
  EVP_PKEY_new_raw_private_key: {
    args: [
      "i32" /* int type */,
      "ptr" /* ENGINE *e */,
      "ptr" /* const unsigned char *key */,
      "u64" /* size_t keylen */,
    ],
    returns: "ptr" /* EVP_PKEY * */,
  },
  EVP_PKEY_new_raw_public_key: {
    args: [
      "i32" /* int type */,
      "ptr" /* ENGINE *e */,
      "ptr" /* const unsigned char *key */,
      "u64" /* size_t keylen */,
    ],
    returns: "ptr" /* EVP_PKEY * */,
  },
  EVP_PKEY_get_raw_public_key: {
    args: ["ptr" /* const EVP_PKEY * */, "ptr" /* unsigned char *pub */, "ptr" /* size_t *len */],
    returns: "i32",
  },
  EVP_PKEY_free: { args: ["ptr" /* EVP_PKEY * */], returns: "void" },
  EVP_PKEY_CTX_new: { args: ["ptr" /* EVP_PKEY * */, "ptr" /* ENGINE *e */], returns: "ptr" /* EVP_PKEY_CTX * */ },
  EVP_PKEY_CTX_free: { args: ["ptr" /* EVP_PKEY_CTX * */], returns: "void" },
  EVP_PKEY_derive_init: { args: ["ptr" /* EVP_PKEY_CTX * */], returns: "i32" },
  EVP_PKEY_derive_set_peer: { args: ["ptr" /* EVP_PKEY_CTX * */, "ptr" /* EVP_PKEY *peer */], returns: "i32" },
  EVP_PKEY_derive: {
    args: ["ptr" /* EVP_PKEY_CTX * */, "ptr" /* unsigned char *key */, "ptr" /* size_t *keylen */],
    returns: "i32",
  },
} as const;

/** openssl/crypto.h. Configuration files are not read: one could load other code. */
const OPENSSL_INIT_NO_LOAD_CONFIG = 0x80;
/** openssl/evp.h. */
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;
const EVP_PKEY_X25519 = 1034;
const X25519_SIZE = 32;
const DECRYPT = 0;
const ENCRYPT = 1;

const HEADER_SIZE = 8;
const TAG_SIZE = 16;

/** Returns the ciphers of the system's libcrypto, undefined if there is none that can be used. */
export function openLibcrypto(): Ciphers | undefined {
  const path = layout.libcrypto.find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  try {
    return libcryptoCiphers(dlopen(path, SYMBOLS).symbols as unknown as Libcrypto);
  } catch {
    // Another ABI, or a build without one of the ciphers: the runtime's ciphers do as well.
    return undefined;
  }
}

function libcryptoCiphers(library: Libcrypto): Ciphers {
  library.OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, 0);
  const known: Readonly<Record<CipherName, Address>> = {
    "aes-256-gcm": library.EVP_aes_256_gcm(),
    "chacha20-poly1305": library.EVP_chacha20_poly1305(),
  };
  return {
    name: "libcrypto",
    x25519: new LibcryptoX25519(library),
    create: (cipher, key) => new LibcryptoAead(library, known[cipher], key),
  };
}

/** X25519 that leaves no copy of a key behind: the library erases its objects when they are freed, which is at once. */
class LibcryptoX25519 implements X25519 {
  readonly #library: Libcrypto;
  readonly #private = new Uint8Array(new ArrayBuffer(X25519_SIZE));
  readonly #public = new Uint8Array(new ArrayBuffer(X25519_SIZE));
  readonly #length = new BigUint64Array(new ArrayBuffer(8));

  constructor(library: Libcrypto) {
    this.#library = library;
  }

  publicKey(privateKey: Uint8Array): Uint8Array {
    const { EVP_PKEY_get_raw_public_key, EVP_PKEY_free } = this.#library;
    const key = this.#privateObject(privateKey);
    this.#length[0] = BigInt(X25519_SIZE);
    const result = EVP_PKEY_get_raw_public_key(key, pointerTo(this.#public), pointerTo(this.#length));
    EVP_PKEY_free(key);
    expectOne(result);
    return this.#public.slice();
  }

  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const library = this.#library;
    this.#public.set(publicKey);
    const peer = library.EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, 0, pointerTo(this.#public), X25519_SIZE);
    const key = this.#privateObject(privateKey);
    const context = library.EVP_PKEY_CTX_new(key, 0);
    const secret = new Uint8Array(new ArrayBuffer(X25519_SIZE));
    this.#length[0] = BigInt(X25519_SIZE);
    const isDone =
      library.EVP_PKEY_derive_init(context) === 1 &&
      library.EVP_PKEY_derive_set_peer(context, peer) === 1 &&
      library.EVP_PKEY_derive(context, pointerTo(secret), pointerTo(this.#length)) === 1;
    library.EVP_PKEY_CTX_free(context);
    library.EVP_PKEY_free(key);
    library.EVP_PKEY_free(peer);
    return isDone && secret.some((byte) => byte !== 0) ? secret : undefined;
  }

  #privateObject(privateKey: Uint8Array): Address {
    this.#private.set(privateKey);
    const key = this.#library.EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, 0, pointerTo(this.#private), X25519_SIZE);
    this.#private.fill(0);
    if (!key) throw new Error("broken invariant: libcrypto does what it is asked");
    return key;
  }
}

/** Contexts hold keys: those that nobody wiped are freed when nothing uses them any more. */
const unused = new FinalizationRegistry<() => void>((free) => free());

class LibcryptoAead implements Aead {
  readonly #library: Libcrypto;
  /** 0 once the key was erased. */
  #context: Address;
  readonly #outLength = new Int32Array(new ArrayBuffer(4));
  readonly #outLengthAt = pointerTo(this.#outLength);
  /** The arrays of the last call and their addresses. */
  #bytes: Uint8Array | undefined;
  #base: Address = 0;
  #nonce: Uint8Array | undefined;
  #nonceAt: Address = 0;

  constructor(library: Libcrypto, cipher: Address, key: Uint8Array) {
    this.#library = library;
    const context = library.EVP_CIPHER_CTX_new();
    this.#context = context;
    const copy = new Uint8Array(new ArrayBuffer(key.length));
    copy.set(key);
    expectOne(library.EVP_CipherInit_ex(context, cipher, 0, pointerTo(copy), 0, ENCRYPT));
    copy.fill(0);
    unused.register(this, () => library.EVP_CIPHER_CTX_free(context), this);
  }

  /** Frees the context, which the library overwrites first. */
  wipe(): void {
    if (this.#context === 0) return;
    unused.unregister(this);
    this.#library.EVP_CIPHER_CTX_free(this.#context);
    this.#context = 0;
  }

  seal(bytes: Uint8Array, nonce: Uint8Array, from: number, length: number, to: number): void {
    if (this.#context === 0) throw new Error("broken invariant: nothing is sealed after the key was erased");
    this.#locate(bytes, nonce);
    expectOne(this.#run(ENCRYPT, this.#base + from, length, this.#base + to));
    expectOne(this.#finish());
    const tag = this.#base + to + length;
    expectOne(this.#library.EVP_CIPHER_CTX_ctrl(this.#context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag));
  }

  open(bytes: Uint8Array, nonce: Uint8Array, at: number, length: number): boolean {
    if (this.#context === 0) return false;
    this.#locate(bytes, nonce);
    const place = this.#base + at;
    expectOne(this.#run(DECRYPT, place, length, place));
    const tag = place + length;
    expectOne(this.#library.EVP_CIPHER_CTX_ctrl(this.#context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag));
    if (this.#finish() === 1) return true;
    // Both ciphers add a stream of bytes: decrypting a forged datagram is undone by encrypting it.
    expectOne(this.#run(ENCRYPT, place, length, place));
    return false;
  }

  /**
   * Encrypts or decrypts everything but the tag.
   * @param out where the header is in front of
   */
  #run(direction: number, input: Address, length: number, out: Address): number {
    const { EVP_CipherInit_ex, EVP_CipherUpdate } = this.#library;
    const [context, outLength] = [this.#context, this.#outLengthAt];
    return (
      EVP_CipherInit_ex(context, 0, 0, 0, this.#nonceAt, direction) &
      EVP_CipherUpdate(context, 0, outLength, out - HEADER_SIZE, HEADER_SIZE) &
      EVP_CipherUpdate(context, out, outLength, input, length)
    );
  }

  /** Nothing is left to be written; the address must only not be null. */
  #finish(): number {
    return this.#library.EVP_CipherFinal_ex(this.#context, this.#outLengthAt, this.#outLengthAt);
  }

  #locate(bytes: Uint8Array, nonce: Uint8Array): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#base = pointerTo(bytes);
    }
    if (nonce !== this.#nonce) {
      this.#nonce = nonce;
      this.#nonceAt = pointerTo(nonce);
    }
  }
}

/** Throws after a failed call: no datagram may leave unsealed. */
function expectOne(result: number): void {
  if (result !== 1) throw new Error("broken invariant: libcrypto does what it is asked");
}
