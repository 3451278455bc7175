/** Makes and reads keys as text: 32 bytes in base64. */
import { parseKey } from "../config/values.ts";
import { clampPrivateKey, KeyPair, X25519_SIZE } from "../security/x25519.ts";

export function generateKey(kind: "private" | "shared"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(X25519_SIZE));
  if (kind === "private") clampPrivateKey(bytes);
  return bytes.toBase64();
}

/** Returns undefined for text that is no private key. */
export function publicKeyOf(privateKey: string): string | undefined {
  const result = parseKey(privateKey);
  return result && new KeyPair(result).publicKey.toBase64();
}
