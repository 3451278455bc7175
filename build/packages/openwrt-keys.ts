// Translates the keys of a configuration to options of UCI, whose names are in lower case: SharedKey is shared_key.

import { HOST_KEY_NAMES, PEER_KEY_NAMES } from "../../src/config/schema.ts";

/** Returns the option for a key. */
export function uciOption(key: string): string {
  return key.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Returns `option:Key` for every key, separated by spaces, as the init script expects. */
export function openwrtKeys(): { readonly HOST_KEYS: string; readonly PEER_KEYS: string } {
  const pairs = (keys: readonly string[]) => keys.map((key) => `${uciOption(key)}:${key}`).join(" ");
  return { HOST_KEYS: pairs(HOST_KEY_NAMES), PEER_KEYS: pairs(PEER_KEY_NAMES) };
}
