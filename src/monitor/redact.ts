/**
 * Removes from a text what nobody else should know: keys, addresses, names of hosts and users. Each is replaced by the same placeholder
 * throughout, like `(ipv4-1 private)`, so that a reader can still follow it. Loopback and unspecified addresses reveal nothing and stay.
 */
import { type Endpoint, familyOf, formatAddress, parseEndpoint } from "../endpoint.ts";

// Keys and tokens are runs of base64, base64url or hexadecimal digits, longer than any word or commit.
const KEY = /(?<![A-Za-z0-9+/_-])(?:nc\d+-)?(?:[A-Za-z0-9+/]{40,}|[A-Za-z0-9_-]{40,}|[0-9a-fA-F]{32,})={0,2}/g;
const HARDWARE = /\b(?:[0-9a-f]{2}:){5,7}[0-9a-f]{2}\b/gi;
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const IPV6 = /(?<!\w)(?:[0-9a-f]{1,4}:|::)[0-9a-f:]*(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?!\w)/gi;
const HOME = /\/(home|Users)\/[^/\s]+/g;

/** Redacts several texts with one set of placeholders. */
export class Redactor {
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #names: RegExp[] = [];

  /** @param names names of hosts, which no pattern finds */
  constructor(names: readonly string[]) {
    const distinct = [...new Set(names.map((name) => name.toLowerCase()).filter((name) => name !== ""))];
    // The longest is replaced first, since one name may be the beginning of another.
    for (const name of distinct.toSorted((a, b) => b.length - a.length)) {
      this.#names.push(new RegExp(`(?<![\\w.-])${RegExp.escape(name)}(?![\\w-])`, "gi"));
    }
  }

  redact(text: string): string {
    let out = text.replace(KEY, () => "(key)").replace(HARDWARE, (found) => this.#placeholder("hardware", found));
    for (const name of this.#names) out = out.replace(name, (found) => this.#placeholder("host", found));
    return out
      .replace(IPV4, (found) => this.#address(found))
      .replace(IPV6, (found) => this.#address(found))
      .replace(HOME, (_found, folder: string) => `/${folder}/(user)`);
  }

  #address(found: string): string {
    const endpoint = parseEndpoint(found);
    // In "to fd47::2: no route" the last colon belongs to the sentence.
    if (!endpoint && /[^:]:$/.test(found)) return `${this.#address(found.slice(0, -1))}:`;
    const kind = endpoint ? kindOf(endpoint) : undefined;
    if (!endpoint || kind === undefined) return found;
    return this.#placeholder(`ipv${familyOf(endpoint)}`, found, kind);
  }

  #placeholder(category: string, found: string, kind = ""): string {
    const key = `${category} ${found.toLowerCase()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(category) ?? 0) + 1;
    this.#counts.set(category, count);
    const text = `(${category}-${count}${kind === "" ? "" : ` ${kind}`})`;
    this.#known.set(key, text);
    return text;
  }
}

/** Kinds of address that a report may reveal, the first that fits; undefined for addresses that are kept. */
const KINDS: Readonly<Record<4 | 6, readonly (readonly [kind: string | undefined, prefix: RegExp])[]>> = {
  4: [
    [undefined, /^(127|0)\.|^255\.255\.255\.255$/],
    ["private", /^10\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\./],
    ["carrier's NAT", /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./],
    ["link-local", /^169\.254\./],
    ["multicast", /^(22[4-9]|23\d)\./],
  ],
  6: [
    [undefined, /^::1?$/],
    ["private", /^f[cd]/],
    ["link-local", /^fe[89ab]/],
    ["multicast", /^ff/],
  ],
};

function kindOf(endpoint: Endpoint): string | undefined {
  const text = formatAddress(endpoint);
  const known = KINDS[familyOf(endpoint) === 4 ? 4 : 6].find(([, prefix]) => prefix.test(text));
  return known ? known[0] : "public";
}
