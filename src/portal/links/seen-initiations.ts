/**
 * Recognises an initiation that was read before by its mac1, without a hash: so a replay, of which anybody may send many, costs nearly
 * nothing. Initiations of the peer and those of others are kept apart, so that the latter do not push the former out.
 */
import { MAC_SIZE } from "../../wire/exchange-messages.ts";

const AUTHENTIC = 1_024;
const REFUSED = 256;

/** Returns what tells initiations apart: their mac1, which covers all but the cookie; empty if the message is too short for one. */
export function initiationKey(initiation: Uint8Array): string {
  const end = initiation.length - MAC_SIZE;
  return end < MAC_SIZE ? "" : initiation.subarray(end - MAC_SIZE, end).toHex();
}

export class SeenInitiations {
  readonly #authentic = new Set<string>();
  readonly #refused = new Set<string>();

  has(key: string): boolean {
    return this.#authentic.has(key) || this.#refused.has(key);
  }

  add(key: string, isAuthentic: boolean): void {
    const seen = isAuthentic ? this.#authentic : this.#refused;
    seen.add(key);
    if (seen.size > (isAuthentic ? AUTHENTIC : REFUSED)) seen.delete(seen.values().next().value as string);
  }
}
