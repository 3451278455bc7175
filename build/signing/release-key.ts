// Makes and reads the keys that sign a release: an Ed25519 key for minisign(1), signify(1) and OpenWrt's usign, and an ECDSA key on
// P-256 for apk, as OpenWrt's own. Both private keys are in one file:
//
//     untrusted comment: netcombiner private key
//     base64 of "Ed" "BK", u32 0, salt[16], checksum[8], key number[8], private key[64]      the format of signify, without password
//     -----BEGIN PRIVATE KEY----- ...                                                        PKCS #8 (RFC 5958)
//
// checksum is the begin of SHA-512 of the private key, which is its seed followed by the public key.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";

const HEADER = Buffer.from("EdBK\0\0\0\0");
const OFFSET = { checksum: 24, number: 32, seed: 40, publicKey: 72 } as const;
const PRIVATE_SIZE = 104;
/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;
/** DER of a PKCS #8 private key of Ed25519 up to its seed (RFC 8410 section 7). */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export interface ReleaseKey {
  /** Number of the Ed25519 key, 8 random bytes by which tools tell keys apart. */
  readonly number: Uint8Array;
  readonly ed25519: KeyObject;
  /** ECDSA key on P-256, for apk. */
  readonly apk: KeyObject;
}

/** Returns the files of the public keys that belong to NAME.sec: NAME.pub and NAME.pem. signify insists on these endings. */
export function publicKeyPaths(path: string): { readonly pub: string; readonly pem: string } {
  const base = path.replace(/\.sec$/, "");
  return { pub: `${base}.pub`, pem: `${base}.pem` };
}

/** Writes a new key to `path`, and its public halves beside it. @throws Error if one of them exists */
export function createReleaseKey(path: string): void {
  const { pub, pem } = publicKeyPaths(path);
  const existing = [path, pub, pem].find((file) => existsSync(file));
  if (existing !== undefined) throw new Error(`${existing} exists; name a new file`);
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  const apk = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
  const key = { number: crypto.getRandomValues(new Uint8Array(8)), ed25519, apk };
  writeFileSync(path, privateText(key), { mode: 0o600, flag: "wx" });
  writeFileSync(pub, publicText(key), { flag: "wx" });
  writeFileSync(pem, apkPublicText(key), { flag: "wx" });
}

/** Reads a key. @throws Error if others can read the file, or it is no key of this format */
export function readReleaseKey(path: string): ReleaseKey {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const { mode } = fstatSync(fd);
    if ((mode & OTHERS) !== 0) throw new Error(`${path} holds a private key and is open to others; chmod 600 ${path}`);
    return parseReleaseKey(readFileSync(fd, "utf8"), path);
  } finally {
    closeSync(fd);
  }
}

function parseReleaseKey(text: string, path: string): ReleaseKey {
  const [, line = ""] = text.split("\n");
  const bytes = Buffer.from(line, "base64");
  const checksum = sha512(bytes.subarray(OFFSET.seed)).subarray(0, 8);
  const isWhole = bytes.length === PRIVATE_SIZE && checksum.equals(bytes.subarray(OFFSET.checksum, OFFSET.number));
  if (!isWhole || !bytes.subarray(0, HEADER.length).equals(HEADER)) {
    throw new Error(`${path} is no private key without password that "npm run package -- --new-key" made`);
  }
  const der = Buffer.concat([ED25519_PREFIX, bytes.subarray(OFFSET.seed, OFFSET.publicKey)]);
  return {
    number: new Uint8Array(bytes.subarray(OFFSET.number, OFFSET.seed)),
    ed25519: createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
    apk: createPrivateKey(text.slice(text.indexOf("-----BEGIN"))),
  };
}

function privateText({ number, ed25519, apk }: ReleaseKey): string {
  const seed = ed25519.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const secret = Buffer.concat([seed, rawPublicKey(ed25519, 32)]);
  const salt = Buffer.alloc(OFFSET.checksum - HEADER.length);
  const bytes = Buffer.concat([HEADER, salt, sha512(secret).subarray(0, 8), number, secret]);
  const pem = apk.export({ format: "pem", type: "pkcs8" });
  return `untrusted comment: netcombiner private key\n${bytes.toString("base64")}\n${pem}`;
}

/** Returns the public key in the format of minisign, signify and usign. */
export function publicText({ number, ed25519 }: ReleaseKey): string {
  const bytes = Buffer.concat([Buffer.from("Ed"), number, rawPublicKey(ed25519, 32)]);
  return `untrusted comment: netcombiner public key\n${bytes.toString("base64")}\n`;
}

/** Returns the public key in the format of apk. */
export function apkPublicText({ apk }: ReleaseKey): string {
  return createPublicKey(apk).export({ format: "pem", type: "spki" }).toString();
}

/** Returns the number by which apk finds a key: the first 16 bytes of SHA-512 of the point (apk-tools 3, `apk_pkey_init`). */
export function apkKeyId(key: KeyObject): Uint8Array {
  return sha512(rawPublicKey(key, 65)).subarray(0, 16);
}

/** Returns the last `size` bytes of the DER encoding, which are the public key itself: a point of a curve. */
function rawPublicKey(key: KeyObject, size: number): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ format: "der", type: "spki" }).subarray(-size);
}

function sha512(bytes: Uint8Array): Buffer {
  return createHash("sha512").update(bytes).digest();
}
