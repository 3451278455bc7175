/**
 * Takes out of a text what nobody else should know: keys, addresses, names of hosts and users. The same thing gets the same stand-in
 * throughout, so that one can still follow it: `(ipv4-1 private)`. Loopback and unspecified addresses say nothing and stay.
 */
import { type Endpoint, familyOf, formatAddress, parseEndpoint } from "../endpoint.ts";

// What keys and tokens look like: base64, base64url or hexadecimal digits in a row, longer than any word or commit.
const KEY = /(?<![A-Za-z0-9+/_-])(?:nc\d+-)?(?:[A-Za-z0-9+/]{40,}|[A-Za-z0-9_-]{40,}|[0-9a-fA-F]{32,})={0,2}/g;
const HARDWARE = /\b(?:[0-9a-f]{2}:){5,7}[0-9a-f]{2}\b/gi;
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const IPV6 = /(?<!\w)(?:[0-9a-f]{1,4}:|::)[0-9a-f:]*(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?!\w)/gi;
const HOME = /\/(home|Users)\/[^/\s]+/g;

export class Redactor {
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #names: RegExp[] = [];

  /** @param names of hosts, which no pattern finds */
  constructor(names: readonly string[]) {
    const distinct = [...new Set(names.map((name) => name.toLowerCase()).filter((name) => name !== ""))];
    // The longest first: one may be the beginning of another.
    for (const name of distinct.toSorted((a, b) => b.length - a.length)) {
      this.#names.push(new RegExp(`(?<![\\w.-])${RegExp.escape(name)}(?![\\w-])`, "gi"));
    }
  }

  redact(text: string): string {
    let out = text.replace(KEY, () => "(key)").replace(HARDWARE, (found) => this.#standIn("hardware", found));
    for (const name of this.#names) out = out.replace(name, (found) => this.#standIn("host", found));
    return out
      .replace(IPV4, (found) => this.#address(found))
      .replace(IPV6, (found) => this.#address(found))
      .replace(HOME, (_found, folder: string) => `/${folder}/(user)`);
  }

  #address(found: string): string {
    const endpoint = parseEndpoint(found);
    // "to fd47::2: no route": the last colon is the sentence's.
    if (!endpoint && /[^:]:$/.test(found)) return `${this.#address(found.slice(0, -1))}:`;
    const kind = endpoint ? kindOf(endpoint) : undefined;
    if (!endpoint || kind === undefined) return found;
    return this.#standIn(`ipv${familyOf(endpoint)}`, found, kind);
  }

  #standIn(sort: string, found: string, kind = ""): string {
    const key = `${sort} ${found.toLowerCase()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(sort) ?? 0) + 1;
    this.#counts.set(sort, count);
    const text = `(${sort}-${count}${kind === "" ? "" : ` ${kind}`})`;
    this.#known.set(key, text);
    return text;
  }
}

/** What one may know of an address, the first that fits; undefined for those that say nothing. */
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
