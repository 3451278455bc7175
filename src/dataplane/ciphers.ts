/** Chooses the library that encrypts: the system's libcrypto if its results equal those of the runtime's ciphers, otherwise the latter. */
import { openLibcrypto } from "../../ffi/libcrypto.ts";
import type { CipherName, Ciphers } from "../ports.ts";
import { AUTO_SUITES } from "../security/offer.ts";
import { PORTABLE_CIPHERS, TAG_SIZE } from "../security/portable-ciphers.ts";
import { HEADER_SIZE } from "../wire/datagram.ts";

/** Bytes of the trial: more than any implementation takes in one step. */
const LENGTH = 1_111;

export function systemCiphers(): Ciphers {
  const libcrypto = openLibcrypto();
  const isGood = libcrypto && isSameCurve(libcrypto) && AUTO_SUITES.every((cipher) => isSame(libcrypto, cipher));
  return isGood ? libcrypto : PORTABLE_CIPHERS;
}

/** True if X25519 gives the same secret, and none for a point of low order. */
function isSameCurve({ x25519 }: Ciphers): boolean {
  try {
    const [own, other] = [new Uint8Array(32).fill(0x5a), new Uint8Array(32).fill(0xa5)];
    const publicKey = x25519.publicKey(other);
    const [tried, known] = [x25519.agree(own, publicKey), PORTABLE_CIPHERS.x25519.agree(own, publicKey)];
    if (!tried || !known || x25519.agree(own, new Uint8Array(32))) return false;
    return Buffer.from(tried).equals(known);
  } catch {
    return false;
  }
}

/** True if a trial gives the same bytes as the runtime's cipher, opens again, and is refused after a change. */
export function isSame(ciphers: Ciphers, cipher: CipherName): boolean {
  try {
    const [tried, known] = [ciphers, PORTABLE_CIPHERS].map((made) => trial(made, cipher)) as [Trial, Trial];
    if (!Buffer.from(tried.sealed).equals(known.sealed)) return false;
    return tried.open(known.sealed) && !tried.open(known.sealed.with(LENGTH, (known.sealed[LENGTH] as number) ^ 1));
  } catch {
    return false;
  }
}

interface Trial {
  readonly sealed: Uint8Array;
  open(sealed: Uint8Array): boolean;
}

function trial(ciphers: Ciphers, cipher: CipherName): Trial {
  const aead = ciphers.create(cipher, new Uint8Array(32).fill(0x5a));
  const nonce = new Uint8Array(new ArrayBuffer(12)).fill(0xa5);
  const bytes = new Uint8Array(new ArrayBuffer(HEADER_SIZE + LENGTH + TAG_SIZE));
  aead.seal(bytes, nonce, HEADER_SIZE, LENGTH, HEADER_SIZE);
  return {
    sealed: bytes.slice(),
    open: (sealed) => {
      bytes.set(sealed);
      return aead.open(bytes, nonce, HEADER_SIZE, LENGTH);
    },
  };
}
