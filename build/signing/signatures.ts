// Signs files in the formats of minisign(1), signify(1) with usign, and apk.
//
//     FILE.minisig    comment, base64 of "Ed" number[8] signature[64], trusted comment, base64 of a signature over both
//     FILE.sig        the first two lines alone: signify and usign reject more
//     apk             a block in the package: u8 version 0, u8 hash 4 (SHA-512), key id[16], ECDSA signature in DER

import { createHash, sign } from "node:crypto";
import { apkKeyId, type ReleaseKey } from "./release-key.ts";

export interface SignedFile {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/** Returns `FILE.minisig` and `FILE.sig` for a file. @param time seconds since 1970, which minisign prints */
export function signatureFiles({ fileName, bytes }: SignedFile, key: ReleaseKey, time: number): SignedFile[] {
  const signature = sign(null, bytes, key.ed25519);
  const lines = [
    "untrusted comment: verify with the public key of netcombiner",
    Buffer.concat([Buffer.from("Ed"), key.number, signature]).toString("base64"),
  ];
  const trusted = `timestamp:${time}\tfile:${fileName}`;
  const global = sign(null, Buffer.concat([signature, Buffer.from(trusted)]), key.ed25519);
  const all = [...lines, `trusted comment: ${trusted}`, global.toString("base64")];
  const file = (extension: string, content: readonly string[]) => {
    return { fileName: `${fileName}.${extension}`, bytes: Buffer.from(`${content.join("\n")}\n`) };
  };
  return [file("minisig", all), file("sig", lines)];
}

const SHA512 = 4;

/** Returns the payload of a signature block of apk over a database (apk-tools 3, adb.c, `adb_trust_write_signatures`). */
export function apkSignature(schema: string, database: Uint8Array, { apk }: ReleaseKey): Uint8Array {
  const head = Buffer.concat([Uint8Array.of(0, SHA512), apkKeyId(apk)]);
  const digest = createHash("sha512").update(database).digest();
  return Buffer.concat([head, sign("sha512", Buffer.concat([Buffer.from(schema), head, digest]), apk)]);
}
