// Every library's AEAD and X25519 against published vectors and their edges, in the manner of Wycheproof. The ciphers take the 8 bytes in front as
// what is authenticated besides; vectors with other lengths of that do not fit and are left out.
import { describe, expect, test } from "bun:test";
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import type { CipherName, Ciphers } from "../../src/ports.ts";
import { PORTABLE_CIPHERS } from "../../src/security/portable-ciphers.ts";

const HEADER = 8;
const TAG = 16;
const hex = (text: string) => Uint8Array.fromHex(text.replace(/\s/g, ""));

const libcrypto = openLibcrypto();
const LIBRARIES: readonly (readonly [string, Ciphers])[] = [
  ["the runtime", PORTABLE_CIPHERS],
  ...(libcrypto ? [["libcrypto", libcrypto] as const] : []),
];

interface Vector {
  readonly name: string;
  readonly cipher: CipherName;
  readonly key: string;
  readonly nonce: string;
  readonly aad: string;
  readonly plain: string;
  readonly sealed: string;
  readonly tag: string;
}

const VECTORS: readonly Vector[] = JSON.parse(await Bun.file(`${import.meta.dir}/../vectors/aead.json`).text()).vectors;

/** Seals or opens in an arena of its own. */
function seal(ciphers: Ciphers, { cipher, key, nonce, aad, plain }: Vector): Uint8Array {
  const content = hex(plain);
  const bytes = new Uint8Array(new ArrayBuffer(HEADER + content.length + TAG));
  bytes.set(hex(aad));
  bytes.set(content, HEADER);
  ciphers.create(cipher, hex(key)).seal(bytes, stable(nonce), HEADER, content.length, HEADER);
  return bytes;
}

function open(ciphers: Ciphers, { cipher, key, nonce }: Vector, sealed: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(new ArrayBuffer(sealed.length));
  bytes.set(sealed);
  const length = sealed.length - HEADER - TAG;
  const isOpen = ciphers.create(cipher, hex(key)).open(bytes, stable(nonce), HEADER, length);
  if (!isOpen) expect(bytes).toEqual(Uint8Array.from(sealed));
  return isOpen ? bytes.slice(HEADER, HEADER + length) : undefined;
}

/** The libraries keep the address of the nonce, so its memory must not move. */
function stable(text: string): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(12));
  bytes.set(hex(text));
  return bytes;
}

describe.each(LIBRARIES)("The ciphers of %s", (_name, ciphers) => {
  test.each(VECTORS.map((vector) => [vector.name, vector] as const))("give and open %s", (_vector, vector) => {
    const sealed = seal(ciphers, vector);
    expect(sealed.subarray(HEADER).toHex()).toBe(vector.sealed + vector.tag);
    expect(open(ciphers, vector, sealed)?.toHex()).toBe(vector.plain);
  });

  test.each(VECTORS.map((vector) => [vector.name, vector] as const))(
    "refuse every changed bit of header, content and tag of %s",
    (_vector, vector) => {
      const sealed = seal(ciphers, vector);
      for (let bit = 0; bit < 8 * sealed.length; bit++) {
        const changed = sealed.slice();
        changed[bit >>> 3] = (changed[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(open(ciphers, vector, changed)).toBeUndefined();
      }
    },
  );

  test.each(["aes-256-gcm", "chacha20-poly1305"] as const)("open %s in no other way once it was wiped", (cipher) => {
    const vector = VECTORS.find((one) => one.cipher === cipher) as Vector;
    const sealed = seal(ciphers, vector);
    const aead = ciphers.create(cipher, hex(vector.key));
    aead.wipe();
    expect(aead.open(sealed, stable(vector.nonce), HEADER, sealed.length - HEADER - TAG)).toBe(false);
    expect(() => aead.seal(sealed, stable(vector.nonce), HEADER, 0, HEADER)).toThrow("after the key was erased");
  });
});

/** RFC 7748, 5.2 and 6.1. */
const X25519_VECTORS = [
  {
    name: "RFC 7748 5.2, first",
    scalar: "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    point: "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    out: "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  },
  {
    name: "RFC 7748 5.2, second, with the highest bit of the point set",
    scalar: "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    point: "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    out: "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
  },
  {
    name: "RFC 7748 6.1, Alice and Bob",
    scalar: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    point: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    out: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
  },
];

/** All encodings of points whose order divides 8, those above the prime and with the highest bit set too (Wycheproof's LowOrderPublic). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

describe.each(LIBRARIES)("X25519 of %s", (_name, { x25519 }) => {
  test.each(X25519_VECTORS.map((vector) => [vector.name, vector] as const))("gives %s", (_vector, vector) => {
    expect(x25519.agree(hex(vector.scalar), hex(vector.point))?.toHex()).toBe(vector.out);
  });

  test("gives the public keys of RFC 7748 6.1", () => {
    const alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    expect(x25519.publicKey(alice).toHex()).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  });

  test("gives the results of 1 and of 1000 iterations of RFC 7748 5.2", () => {
    let k = hex("0900000000000000000000000000000000000000000000000000000000000000");
    let u = k;
    for (let i = 1; i <= 1000; i++) {
      [k, u] = [x25519.agree(k, u) as Uint8Array<ArrayBuffer>, k];
      if (i === 1) expect(k.toHex()).toBe("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    expect(k.toHex()).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });

  test.each(LOW_ORDER.map((point) => [point]))("has no secret with the point of low order %s", (point) => {
    expect(x25519.agree(new Uint8Array(32).fill(0x77), hex(point))).toBeUndefined();
  });

  test("clamps every scalar and ignores the highest bit of a point", () => {
    const point = hex(X25519_VECTORS[0]!.point);
    const scalar = hex(X25519_VECTORS[0]!.scalar);
    const loose = scalar.with(0, scalar[0]! ^ 0x07).with(31, scalar[31]! ^ 0xc0);
    const high = point.with(31, point[31]! | 0x80);
    expect(x25519.agree(loose, high)?.toHex()).toBe(X25519_VECTORS[0]!.out);
    expect(x25519.publicKey(loose).toHex()).toBe(x25519.publicKey(scalar).toHex());
  });
});
