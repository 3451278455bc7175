/** Parses values of keys. Each parser reads one text and says what it expects. */
import * as v from "valibot";
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from "../clock.ts";
import { parseEndpoint } from "../endpoint.ts";
import { isPublicKey } from "../security/x25519.ts";
import { showValue } from "./fault.ts";

/** Address of the tunnel's interface. */
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

/** Matches names of interfaces: IFNAMSIZ is 16 with the final zero, and all characters are safe in paths and commands. */
export const INTERFACE_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.=+-]{1,15}$/;

/** Parses a whole number from `min` to `max`. */
export function wholeNumber({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/, `expected a whole number from ${min} to ${max}`),
    v.transform(Number),
    v.minValue(min, `min ${min}`),
    v.maxValue(max, `max ${max}`),
  );
}

/** Parses a whole number within the bounds, or 0. */
export function wholeNumberOrZero({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/, `expected a whole number from ${min} to ${max}, or 0`),
    v.transform(Number),
    v.check((n) => n === 0 || n >= min, `min ${min}, or 0`),
    v.maxValue(max, `max ${max}`),
  );
}

const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s)?$/;

/** Parses a duration in seconds or with a unit: `10`, `2.5`, `2s`, `500ms`. Bounds and result are in microseconds. */
export function duration({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(DURATION, `expected ${formatDuration(min)} to ${formatDuration(max)}, in seconds or with "ms" or "s"`),
    v.transform((text) => {
      const [, number, unit] = DURATION.exec(text) ?? [];
      return Math.round(Number(number) * (unit === "ms" ? MICROS_PER_MILLI : MICROS_PER_SECOND));
    }),
    v.minValue(min, `min ${formatDuration(min)}`),
    v.maxValue(max, `max ${formatDuration(max)}`),
  );
}

/** Returns "500ms" or "10s". */
export function formatDuration(micros: number): string {
  return micros % MICROS_PER_SECOND === 0 ? `${micros / MICROS_PER_SECOND}s` : `${micros / MICROS_PER_MILLI}ms`;
}

const RATE = /^(\d{1,9}(?:\.\d{1,6})?)\s*([kMG]?)bit(?:\/s)?$/i;
const RATE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** Parses a rate with its unit: `500kbit`, `5Mbit`, `1.5Gbit/s`. Bounds are in bits, the result in bytes per second. */
export function bitRate({ min, max }: Bounds) {
  return v.pipe(
    v.string(),
    v.regex(RATE, `expected ${formatBitRate(min)} to ${formatBitRate(max)}, with "kbit", "Mbit" or "Gbit"`),
    v.transform((text) => {
      const [, number, unit = ""] = RATE.exec(text) ?? [];
      return Number(number) * (RATE_UNITS[unit.toLowerCase()] as number);
    }),
    v.minValue(min, `min ${formatBitRate(min)}`),
    v.maxValue(max, `max ${formatBitRate(max)}`),
    v.transform((bits) => bits / 8),
  );
}

/** Returns "64kbit" or "10Gbit". */
function formatBitRate(bits: number): string {
  return bits >= 1e9 ? `${bits / 1e9}Gbit` : `${bits / 1e3}kbit`;
}

const YES: Readonly<Record<string, boolean>> = { yes: true, true: true, on: true, no: false, false: false, off: false };

/** Parses "yes" or "no", "true" or "false", "on" or "off". */
export function yesNo() {
  return v.pipe(
    v.string(),
    v.check((text) => Object.hasOwn(YES, text.toLowerCase()), "expected yes or no"),
    v.transform((text) => YES[text.toLowerCase()] as boolean),
  );
}

/** Parses one of `names`, in any case; the result is spelt as in `names`. */
export function oneOf<const T extends readonly string[]>(names: T) {
  return v.pipe(
    v.string(),
    v.transform((text): string => names.find((name) => name.toLowerCase() === text.toLowerCase()) ?? text),
    v.picklist(names, `expected one of ${names.join(", ")}`),
  );
}

const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
/** Matches host names (RFC 1123). The last label is not a number alone, so that a mistyped IPv4 address is not looked up as a name. */
const HOST_NAME = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)*(?!\\d+\\.?$)${LABEL}\\.?$`);
const LINK_LOCAL = /^(fe[89ab][0-9a-f]:.*)%([A-Za-z0-9_.=+-]{1,15})$/i;

/** Parses an IPv4 or IPv6 address (link-local ones with `%interface`) or a host name; `portKey` is the key for its port. */
export function host(portKey: string) {
  return v.pipe(
    v.string(),
    v.check(
      (text) => !/^\[.*\](:\d+)?$|^[^:]+:\d+$/.test(text),
      `expected no brackets and no port, which ${portKey} sets`,
    ),
    v.check((text) => text !== "" && isHost(text), "expected an address or a host name"),
  );
}

/** True for an address or a host name alone. */
export function isHost(text: string): boolean {
  const scoped = LINK_LOCAL.exec(text);
  return parseEndpoint(scoped ? (scoped[1] as string) : text) !== undefined || HOST_NAME.test(text);
}

/** Parses the name of a network interface. */
export function interfaceName() {
  return v.pipe(v.string(), v.regex(INTERFACE_NAME, "expected an interface name of 1 to 15 letters, digits and _.=+-"));
}

/** Parses an IPv4 or IPv6 address, into an endpoint without a port. */
export function address() {
  return v.pipe(
    v.string(),
    v.check((text) => parseEndpoint(text) !== undefined, "expected an IPv4 or IPv6 address"),
    v.transform((text) => parseEndpoint(text)),
  );
}

/** Address and port at which a server listens. */
export interface ListenAddress {
  /** Literal address. */
  readonly host: string;
  readonly port: number;
}

/** Parses an IPv4 address, or an IPv6 address in brackets, and a port. */
export function listenAddress() {
  return v.pipe(
    v.string(),
    v.check(
      (text) => parseListenAddress(text) !== undefined,
      "expected an address and a port from 1 to 65535, like 127.0.0.1:9820 or [::1]:9820",
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

/** Parses items separated by `separator` with `parse`; `rule` says what an item must look like. */
export function listOf<T>(separator: string, parse: (text: string) => T | undefined, rule: string) {
  const items = (text: string) => text.split(separator).map((item) => item.trim());
  return v.pipe(
    v.string(),
    v.check(
      (text) => items(text).every((item) => parse(item) !== undefined),
      ({ input }) => listRule(items(input), parse, rule),
    ),
    v.transform((text) => items(text).flatMap((item) => parse(item) ?? [])),
  );
}

/** Adds to `rule` which item breaks it, where there are several. */
function listRule(items: readonly string[], parse: (text: string) => unknown, rule: string): string {
  const wrong = items.find((item) => parse(item) === undefined);
  return items.length === 1 ? rule : `${rule}, unlike ${wrong === "" ? "an empty item" : showValue(wrong ?? "")}`;
}

/** Parses addresses with prefix length, separated by commas. */
export function interfaceAddresses() {
  const rule = "expected an address with prefix length, like 10.47.25.2/24 or fd47::2/64";
  return listOf(",", parseInterfaceAddress, rule);
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

/** Parses a key of 32 bytes as base64, not all zero, as the command `maker` prints it. */
export function cryptoKey(maker: "genkey" | "genpsk" | "pubkey") {
  return v.pipe(
    v.string(),
    v.regex(KEY, `expected 32 bytes as base64, as "netcombiner ${maker}" prints`),
    v.transform((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))),
    v.check(
      (bytes) => bytes.some((byte) => byte !== 0),
      `all zeros is no secret, make a key with "netcombiner ${maker}"`,
    ),
  );
}

/** Returns the key in `text`; undefined if it holds none. */
export function parseKey(text: string): Uint8Array | undefined {
  const result = v.safeParse(cryptoKey("genkey"), text);
  return result.success ? result.output : undefined;
}

/** Parses a public key, without those of low order, for which no private key exists (RFC 7748 section 6.1). */
export function publicKey() {
  return v.pipe(
    cryptoKey("pubkey"),
    v.check(
      (bytes) => isPublicKey(bytes),
      'expected a public key that "netcombiner pubkey" prints, not one of low order',
    ),
  );
}

/** The value of PublicKey while the local portal has not joined yet. */
export const AWAITED_KEY: Uint8Array = new Uint8Array(0);

/** Parses a peer's public key, or `join` where `netcombiner join` will bring it. */
export function peerKey() {
  const awaited = v.pipe(
    v.literal("join"),
    v.transform(() => AWAITED_KEY),
  );
  return v.lazy((text): v.GenericSchema<string, Uint8Array> => (text === "join" ? awaited : publicKey()));
}

/** Parses a path of the file system. */
export function filePath() {
  return v.pipe(v.string(), v.minLength(1, "expected the path of a file"));
}

/** Parses the name of a link, as `show` and the log print it. */
export function linkName() {
  return v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,32}$/, "expected 1 to 32 letters, digits and _.-"));
}
