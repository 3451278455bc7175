/** The kinds of value a key can have: each reads one text and says in a few words what it wanted instead. */
import * as v from "valibot";
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from "../clock.ts";
import { parseEndpoint } from "../endpoint.ts";
import { isPublicKey } from "../security/x25519.ts";

/** An address of the tunnel's interface. */
export interface InterfaceAddress {
  readonly family: 4 | 6;
  /** As given, without the prefix. */
  readonly address: string;
  readonly prefix: number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** IFNAMSIZ is 16 with the final zero; the characters are those that are safe in paths and commands everywhere. */
export const INTERFACE_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.=+-]{1,15}$/;

/** A whole number of `min` to `max`. */
export function wholeNumber({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/, "expected a whole number"),
    v.transform(Number),
    v.minValue(min, `min ${min}`),
    v.maxValue(max, `max ${max}`),
  );
}

/** A whole number within the bounds, or 0. */
export function wholeNumberOrZero({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/, "expected a whole number"),
    v.transform(Number),
    v.check((n) => n === 0 || n >= min, `min ${min}, or 0`),
    v.maxValue(max, `max ${max}`),
  );
}

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s)?$/;

/** Seconds, or with a unit: `10`, `2.5`, `2s`, `500ms`. Bounds and result in microseconds. */
export function duration({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(DURATION, 'expected seconds, or a number with "ms" or "s"'),
    v.transform((text) => {
      const [, number, unit] = DURATION.exec(text) ?? [];
      return Math.round(Number(number) * (unit === "ms" ? MICROS_PER_MILLI : MICROS_PER_SECOND));
    }),
    v.minValue(min, `min ${formatDuration(min)}`),
    v.maxValue(max, `max ${formatDuration(max)}`),
  );
}

/** "500ms", "10s". */
export function formatDuration(micros: number): string {
  return micros % MICROS_PER_SECOND === 0 ? `${micros / MICROS_PER_SECOND}s` : `${micros / MICROS_PER_MILLI}ms`;
}

const RATE = /^(\d{1,9}(?:\.\d{1,6})?)\s*([kMG]?)bit(?:\/s)?$/i;
const RATE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** Bits per second with a unit: `500kbit`, `5Mbit`, `1.5Gbit/s`. Bounds in bits, result in bytes per second. */
export function bitRate({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(RATE, 'expected a number with "kbit", "Mbit" or "Gbit"'),
    v.transform((text) => {
      const [, number, unit = ""] = RATE.exec(text) ?? [];
      return Number(number) * (RATE_UNITS[unit.toLowerCase()] as number);
    }),
    v.minValue(min, `min ${formatBitRate(min)}`),
    v.maxValue(max, `max ${formatBitRate(max)}`),
    v.transform((bits) => bits / 8),
  );
}

/** "64kbit", "10Gbit". */
function formatBitRate(bits: number): string {
  return bits >= 1e9 ? `${bits / 1e9}Gbit` : `${bits / 1e3}kbit`;
}

const YES: Readonly<Record<string, boolean>> = { yes: true, true: true, on: true, no: false, false: false, off: false };

/** "yes" or "no", and what else people write for that. */
export function yesNo() {
  return v.pipe(
    v.string(),
    v.check((text) => Object.hasOwn(YES, text.toLowerCase()), "expected yes or no"),
    v.transform((text) => YES[text.toLowerCase()] as boolean),
  );
}

/** One of `names`, in any case; the result is spelt as in `names`. */
export function oneOf<const T extends readonly string[]>(names: T) {
  return v.pipe(
    v.string(),
    v.transform((text): string => names.find((name) => name.toLowerCase() === text.toLowerCase()) ?? text),
    v.picklist(names, `expected one of ${names.join(", ")}`),
  );
}

const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
/** RFC 1123; the last label is not a number alone, so that a slip in an IPv4 address is not looked up as a name. */
const HOST_NAME = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)*(?!\\d+\\.?$)${LABEL}\\.?$`);
const LINK_LOCAL = /^(fe[89ab][0-9a-f]:.*)%([A-Za-z0-9_.=+-]{1,15})$/i;

/** An IPv4 or IPv6 address (link-local ones with `%interface`) or a host name. */
export function host(portKey: string) {
  return v.pipe(
    v.string(),
    v.check((text) => !/^\[.*\](:\d+)?$|^[^:]+:\d+$/.test(text), `no brackets and no port, which goes into ${portKey}`),
    v.check((text) => text !== "" && isHost(text), "expected an address or a host name"),
  );
}

/** An address or a host name, and nothing more. */
export function isHost(text: string): boolean {
  const scoped = LINK_LOCAL.exec(text);
  return parseEndpoint(scoped ? (scoped[1] as string) : text) !== undefined || HOST_NAME.test(text);
}

/** The name of a network interface. */
export function interfaceName() {
  return v.pipe(v.string(), v.regex(INTERFACE_NAME, "expected an interface name of 1 to 15 letters, digits and _.=+-"));
}

/** An IPv4 or IPv6 address, as an endpoint without a port. */
export function address() {
  return v.pipe(
    v.string(),
    v.check((text) => parseEndpoint(text) !== undefined, "expected an IPv4 or IPv6 address"),
    v.transform((text) => parseEndpoint(text)),
  );
}

/** Where a server listens. */
export interface ListenAddress {
  /** A literal address. */
  readonly host: string;
  readonly port: number;
}

/** An IPv4 address, or an IPv6 address in brackets, and a port. */
export function listenAddress() {
  return v.pipe(
    v.string(),
    v.check(
      (text) => parseListenAddress(text) !== undefined,
      "expected an address and a port, like 127.0.0.1:9820 or [::1]:9820",
    ),
    v.transform((text) => parseListenAddress(text) as ListenAddress),
  );
}

function parseListenAddress(text: string): ListenAddress | undefined {
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9]\d{0,4})$/.exec(text) ?? [];
  const [host, port] = [six ?? four ?? "", Number(digits)];
  const family = parseEndpoint(host)?.[0];
  return family === (six === undefined ? 4 : 6) && port <= 65_535 ? { host, port } : undefined;
}

/** Addresses with prefix length, one or several separated by commas. */
export function interfaceAddresses() {
  return v.pipe(
    v.string(),
    v.check(
      (text) => text.split(",").every((part) => parseInterfaceAddress(part.trim()) !== undefined),
      "expected an address with prefix length, like 10.47.25.2/24 or fd47::2/64",
    ),
    v.transform((text) => text.split(",").flatMap((part) => parseInterfaceAddress(part.trim()) ?? [])),
  );
}

function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const match = /^([^/%]+)\/(\d{1,3})$/.exec(text);
  const endpoint = match && parseEndpoint(match[1] as string);
  if (!match || !endpoint) return undefined;
  const family = endpoint[0] === 4 ? 4 : 6;
  const prefix = Number(match[2]);
  return prefix <= (family === 4 ? 32 : 128) ? { family, address: match[1] as string, prefix } : undefined;
}

const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** 32 bytes as base64, not all zero, as the command `maker` prints. */
export function cryptoKey(maker: "genkey" | "genpsk" | "pubkey") {
  return v.pipe(
    v.string(),
    v.regex(KEY, `expected 32 bytes as base64, as "netcombiner ${maker}" prints`),
    v.transform((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))),
    v.check((bytes) => bytes.some((byte) => byte !== 0), "a key of zeros is no secret"),
  );
}

/** The key that `text` is, if it is one. */
export function parseKey(text: string): Uint8Array | undefined {
  const result = v.safeParse(cryptoKey("genkey"), text);
  return result.success ? result.output : undefined;
}

/** A public key that somebody can have the private one of. */
export function publicKey() {
  return v.pipe(
    cryptoKey("pubkey"),
    v.check((bytes) => isPublicKey(bytes), "no public key: nothing secret can be agreed with it"),
  );
}

/** A path of the file system. */
export function filePath() {
  return v.pipe(v.string(), v.minLength(1, "expected the path of a file"));
}

/** What a link is called in `show` and in the log. */
export function linkName() {
  return v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,32}$/, "expected 1 to 32 letters, digits and _.-"));
}
