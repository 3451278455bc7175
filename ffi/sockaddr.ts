// @hot
/**
 * Turns endpoints into struct sockaddr_in and sockaddr_in6 (netinet/in.h) and back. FreeBSD begins both with their size.
 *
 *     sockaddr_in   family u16 (or size u8, family u8) | port be16 | address 4 | zero 8
 *     sockaddr_in6  family u16 (or size u8, family u8) | port be16 | flow info be32 | address 16 | scope u32 native
 *
 * On an IPv6 socket that also carries IPv4 the kernel writes IPv4 addresses as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2);
 * an Endpoint never holds that form.
 */
import type { Endpoint } from "../src/endpoint.ts";
import type { Layout } from "./layout.ts";

/** Room for either sockaddr, aligned. */
export const SOCKADDR_ROOM = 32;

const ENDPOINT_PORT = 2;
const ENDPOINT_ADDRESS = 4;
const ENDPOINT_SCOPE = 20;

/**
 * Writes the sockaddr of a socket of `family` at `at`; an endpoint of family 0 gives the unspecified address with its port.
 * @returns its size, 0 when an IPv6 endpoint is given for an IPv4 socket
 */
export function writeSockaddr(
  layout: Layout,
  bytes: Uint8Array,
  at: number,
  endpoint: Endpoint,
  family: 4 | 6,
): number {
  const has = endpoint[0] as number;
  if (has === 6 && family === 4) return 0;
  const size = family === 4 ? layout.sockaddr.size4 : layout.sockaddr.size6;
  bytes.fill(0, at, at + size);
  const number = family === 4 ? layout.AF_INET : layout.AF_INET6;
  if (layout.sockaddr.hasLength) {
    bytes[at] = size;
    bytes[at + 1] = number;
  } else bytes[at] = number;
  bytes[at + 2] = endpoint[ENDPOINT_PORT] as number;
  bytes[at + 3] = endpoint[ENDPOINT_PORT + 1] as number;
  if (family === 4) copyAddress(bytes, at + 4, endpoint, 4);
  else {
    writeAddress6(bytes, at + 8, endpoint);
    for (let i = 0; i < 4; i++) bytes[at + 24 + i] = endpoint[ENDPOINT_SCOPE + 3 - i] as number;
  }
  return size;
}

/** Fills `out` from the sockaddr at `at`; family 0 when it is neither IPv4 nor IPv6. */
export function readSockaddr(layout: Layout, bytes: Uint8Array, at: number, out: Endpoint): void {
  out.fill(0);
  const family = bytes[layout.sockaddr.hasLength ? at + 1 : at] as number;
  if (family === layout.AF_INET) {
    out[0] = 4;
    for (let i = 0; i < 4; i++) out[ENDPOINT_ADDRESS + i] = bytes[at + 4 + i] as number;
  } else if (family === layout.AF_INET6) {
    readAddress6(bytes, at + 8, out);
    if (out[0] === 6) for (let i = 0; i < 4; i++) out[ENDPOINT_SCOPE + 3 - i] = bytes[at + 24 + i] as number;
  } else return;
  out[ENDPOINT_PORT] = bytes[at + 2] as number;
  out[ENDPOINT_PORT + 1] = bytes[at + 3] as number;
}

/** Writes the 16 bytes of an in6_addr: IPv4 as mapped, family 0 as zeros. */
export function writeAddress6(bytes: Uint8Array, at: number, endpoint: Endpoint): void {
  if (endpoint[0] !== 4) {
    copyAddress(bytes, at, endpoint, endpoint[0] === 6 ? 16 : 0);
    return;
  }
  bytes[at + 10] = 0xff;
  bytes[at + 11] = 0xff;
  copyAddress(bytes, at + 12, endpoint, 4);
}

/** Sets family and address of `out` from an in6_addr; the rest of `out` stays. */
export function readAddress6(bytes: Uint8Array, at: number, out: Endpoint): void {
  const mapped = isMapped(bytes, at);
  out[0] = mapped ? 4 : 6;
  const from = mapped ? at + 12 : at;
  const length = mapped ? 4 : 16;
  for (let i = 0; i < length; i++) out[ENDPOINT_ADDRESS + i] = bytes[from + i] as number;
}

/** True if the endpoint names no address: family 0, 0.0.0.0 or ::. */
export function isUnspecified(endpoint: Endpoint): boolean {
  for (let i = ENDPOINT_ADDRESS; i < ENDPOINT_SCOPE; i++) if (endpoint[i] !== 0) return false;
  return true;
}

/** True for fe80::/10, whose scope must travel with it. */
export function isLinkLocal6(endpoint: Endpoint): boolean {
  return endpoint[0] === 6 && endpoint[ENDPOINT_ADDRESS] === 0xfe && ((endpoint[5] as number) & 0xc0) === 0x80;
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

function copyAddress(bytes: Uint8Array, at: number, endpoint: Endpoint, length: number): void {
  for (let i = 0; i < length; i++) bytes[at + i] = endpoint[ENDPOINT_ADDRESS + i] as number;
}
