import { describe, expect, test } from "bun:test";
import { validateConfiguration } from "../../src/config/load.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";

const [OWN, PEER, OTHER] = [1, 50, 100].map((first) => counting(32, first)) as [Uint8Array, Uint8Array, Uint8Array];
const publicOf = (key: Uint8Array) => new KeyPair(key).publicKey;
const HOST = `[Host]\nPrivateKey = ${OWN.toBase64()}\n`;
const PUBLIC = `PublicKey = ${publicOf(PEER).toBase64()}\n`;

const validate = (text: string, files: Record<string, { text: string; mode: number }> = {}) =>
  validateConfiguration({ text, mode: 0o600 }, "/etc/nc0.conf", (path) => files[path] ?? { problem: "no such file" });

const faults = (text: string, files = {}) =>
  validate(text, files).faults.map((fault) => `${fault.line}: ${fault.text}`);

describe("Key pairs", () => {
  test("are a private key of the host and a public key in any one section, which counts for all links", () => {
    for (const sections of [`[Peer]\n${PUBLIC}[Peer]\nRemoteHost = a\n`, `[Peer]\nRemoteHost = a\n[Peer]\n${PUBLIC}`]) {
      const { configuration } = validate(HOST + sections);
      expect(configuration?.tunnel).toMatchObject({ privateKey: OWN, peerKey: publicOf(PEER), sharedKey: undefined });
    }
    expect(faults(`${HOST}[Peer]\n${PUBLIC}[Peer]\nRemoteHost = a\n${PUBLIC}`)).toEqual([]);
  });

  test("go with a shared key, and with files", () => {
    const text = `[Host]\nPrivateKeyFile = own\nSharedKeyFile = /psk\n[Peer]\n${PUBLIC}`;
    const files = {
      "/etc/own": { text: `${OWN.toBase64()}\n`, mode: 0o400 },
      "/psk": { text: OTHER.toBase64(), mode: 0o600 },
    };
    expect(validate(text, files).configuration?.tunnel).toMatchObject({ privateKey: OWN, sharedKey: OTHER });
    expect(faults(text, { ...files, "/etc/own": { text: OWN.toBase64(), mode: 0o640 } })).toEqual([
      "2: Host.PrivateKeyFile invalid: open to others (mode 0640), chmod 600 the file; given own",
    ]);
  });

  test("are not used, and not asked for, without security", () => {
    expect(validate("[Host]\nSecurity = none\nPrivateKeyFile = nowhere\n[Peer]\n").configuration?.tunnel).toMatchObject(
      {
        security: "none",
      },
    );
  });

  const own = publicOf(OWN).toBase64();
  test.each([
    [
      "without the peer's",
      `${HOST}[Peer]\n`,
      `3: Peer[0].PublicKey missing: needed in one [Peer] with a PrivateKey, "netcombiner pubkey" makes it from the other portal's PrivateKey`,
    ],
    [
      "without the own",
      `[Host]\nSharedKey = ${OTHER.toBase64()}\n[Peer]\n${PUBLIC}`,
      '1: Host.PrivateKey missing: needed with the PublicKey of Peer[0], make one with "netcombiner genkey", or name its file in PrivateKeyFile',
    ],
    [
      "of two portals",
      `${HOST}[Peer]\n${PUBLIC}[Peer]\nRemoteHost = a\nPublicKey = ${publicOf(OTHER).toBase64()}\n`,
      "7: Peer[1].PublicKey invalid: must be that of Peer[0], since all links lead to one portal; given (hidden)",
    ],
    [
      "with itself",
      `${HOST}[Peer]\nPublicKey = ${own}\n`,
      "4: Peer[0].PublicKey invalid: must be the other portal's, but belongs to the PrivateKey of this one; given (hidden)",
    ],
    [
      "given twice over",
      `${HOST}PrivateKeyFile = own\n[Peer]\n${PUBLIC}`,
      "3: Host.PrivateKeyFile invalid: only without PrivateKey, which is given too; given own",
    ],
    [
      "with a point of low order",
      `${HOST}[Peer]\nPublicKey = ${counting(32).fill(0).with(0, 1).toBase64()}\n`,
      '4: Peer[0].PublicKey invalid: expected a public key that "netcombiner pubkey" prints, not one of low order; given (hidden)',
    ],
  ])("%s are refused", (_what, text, fault) => {
    expect(faults(text)).toEqual([fault]);
  });
});
