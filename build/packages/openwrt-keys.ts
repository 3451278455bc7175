// The keys of a configuration as options of UCI, whose names are of lower case: SharedKey is shared_key.

import { HOST_KEY_NAMES, PEER_KEY_NAMES } from "../../src/config/schema.ts";

export function uciOption(key: string): string {
  return key.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** What the init script knows: `option:Key` for every key, parted by spaces. */
export function openwrtKeys(): { readonly HOST_KEYS: string; readonly PEER_KEYS: string } {
  const pairs = (keys: readonly string[]) => keys.map((key) => `${uciOption(key)}:${key}`).join(" ");
  return { HOST_KEYS: pairs(HOST_KEY_NAMES), PEER_KEYS: pairs(PEER_KEY_NAMES) };
}
