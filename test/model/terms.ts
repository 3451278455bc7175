// Symbolic terms: a key is the list of the secrets that went into it and the transcript, which everybody knows. Who lacks one of the secrets
// lacks the key; that is all the cryptography that the model knows.

export interface Key {
  readonly secrets: readonly string[];
  readonly transcript: string;
}

/** Returns the name of the secret of two key pairs, the same from both ends. */
export function dh(a: string, b: string): string {
  return a < b ? `${a}*${b}` : `${b}*${a}`;
}

/** Returns a text that two keys share if and only if they are the same. */
export function nameOf({ secrets, transcript }: Key): string {
  return `${secrets.join(",")}|${transcript}`;
}

export interface Attacker {
  /** Private keys, his own included, and "psk". */
  readonly privates: readonly string[];
  /** Names of keys of paths that were disclosed. */
  readonly keys: readonly string[];
}

/** True if the attacker can compute all that goes into the key, or was given it. */
export function knows({ privates, keys }: Attacker, key: Key): boolean {
  if (keys.includes(nameOf(key))) return true;
  return key.secrets.every((secret) => secret.split("*").some((part) => privates.includes(part)));
}
