/**
 * An endpoint is where datagrams come from or go to: family, port, address and scope in 24 bytes, the same on every system.
 * `ffi/` turns it into the system's sockaddr and back; the core only compares and copies it.
 *
 *     0        1         2      4                    20         24
 *     | family | 0       | port | address (4 or 16)  | scope id |
 *       0, 4, 6            big-endian                  big-endian, IPv6 link-local only
 */
export type Endpoint = Uint8Array;

export const ENDPOINT_SIZE = 24;
const FAMILY = 0;
const PORT = 2;
const ADDRESS = 4;
const SCOPE = 20;

/** Returns a zeroed endpoint: family 0 means "none". Its storage never moves, so its address may be given to the kernel. */
export function createEndpoint(): Endpoint {
  return new Uint8Array(new ArrayBuffer(ENDPOINT_SIZE));
}

/** Returns 4, 6, or 0 for none. */
export function familyOf(endpoint: Endpoint): number {
  return endpoint[FAMILY] as number;
}

/** Returns 0 to 65535; the IP transport has no ports and leaves 0. */
export function portOf(endpoint: Endpoint): number {
  return ((endpoint[PORT] as number) << 8) | (endpoint[PORT + 1] as number);
}

export function setPort(endpoint: Endpoint, port: number): void {
  endpoint[PORT] = port >>> 8;
  endpoint[PORT + 1] = port & 0xff;
}

/** Returns a view of the 4 or 16 bytes of the address, empty for none. */
export function addressOf(endpoint: Endpoint): Uint8Array {
  const family = endpoint[FAMILY];
  return endpoint.subarray(ADDRESS, ADDRESS + (family === 4 ? 4 : family === 6 ? 16 : 0));
}

export function scopeOf(endpoint: Endpoint): number {
  return new DataView(endpoint.buffer, endpoint.byteOffset).getUint32(SCOPE);
}

/** Fills `out`; `address` has 4 bytes for family 4 and 16 for family 6. */
export function setEndpoint(out: Endpoint, family: 4 | 6, address: Uint8Array, port: number, scope = 0): void {
  out.fill(0);
  out[FAMILY] = family;
  out.set(address.subarray(0, family === 4 ? 4 : 16), ADDRESS);
  setPort(out, port);
  new DataView(out.buffer, out.byteOffset).setUint32(SCOPE, scope);
}

/** True if family, port, address and scope are the same. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  for (let i = 0; i < ENDPOINT_SIZE; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** True if family and address are the same, whatever the port. */
export function sameAddress(a: Endpoint, b: Endpoint): boolean {
  if (a[FAMILY] !== b[FAMILY]) return false;
  for (let i = ADDRESS; i < SCOPE; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Returns the network of an endpoint as text to compare, as one owner has it: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function networkOf(endpoint: Endpoint): string {
  return addressOf(endpoint).subarray(0, 8).toHex();
}

/** True if the family and the first `bits` bits of the addresses are the same. */
export function samePrefix(a: Endpoint, b: Endpoint, bits: number): boolean {
  if (a[FAMILY] !== b[FAMILY]) return false;
  const other = addressOf(b);
  return addressOf(a).every((byte, i) => {
    const mask = 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - 8 * i)));
    return (byte & mask) === ((other[i] as number) & mask);
  });
}

/** Parses a literal IPv4 or IPv6 address (`fe80::1%3` with a numeric scope); returns undefined if it is neither. */
export function parseEndpoint(text: string, port = 0): Endpoint | undefined {
  const out = createEndpoint();
  const [host = "", scope = "0", rest] = text.split("%");
  const four = parseIpv4(host);
  if (four && !text.includes("%")) {
    setEndpoint(out, 4, four, port);
    return out;
  }
  const six = parseIpv6(host);
  if (!six || rest !== undefined || !/^\d{1,10}$/.test(scope) || Number(scope) > 0xffffffff) return undefined;
  setEndpoint(out, 6, six, port, Number(scope));
  return out;
}

/** Returns "192.0.2.1:4725", "[2001:db8::1]:4725" or "none"; the address alone for port 0. */
export function formatEndpoint(endpoint: Endpoint): string {
  const family = familyOf(endpoint);
  if (family === 0) return "none";
  const address = formatAddress(endpoint);
  const port = portOf(endpoint);
  if (port === 0) return address;
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Returns the address without its port, IPv6 in the form of RFC 5952. */
export function formatAddress(endpoint: Endpoint): string {
  const family = familyOf(endpoint);
  if (family === 0) return "none";
  const bytes = addressOf(endpoint);
  if (family === 4) return Array.from(bytes).join(".");
  const scope = scopeOf(endpoint);
  return formatIpv6(bytes) + (scope === 0 ? "" : `%${scope}`);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const out = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    out[i] = Number(part);
  }
  return out;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] as string);
  // An embedded IPv4 address stands at the very end (RFC 4291 section 2.2).
  if (halves.length === 2 && halves[0]?.includes(".")) return undefined;
  const tail = halves.length === 2 ? parseGroups(halves[1] as string) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const out: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const four = i === groups.length - 1 && group.includes(".") ? parseIpv4(group) : undefined;
    if (four) out.push(...four);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group))
      out.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return out.length <= 16 ? out : undefined;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > bestLength) [best, bestLength] = [i, n];
  }
  const hex = groups.map((g) => g.toString(16));
  if (best < 0) return hex.join(":");
  return `${hex.slice(0, best).join(":")}::${hex.slice(best + bestLength).join(":")}`;
}
