/**
 * The token that pairs two portals: one line that `init` prints on the remote portal and `join` reads on the local one.
 *
 *     nc1-BASE64URL of  | contents ... | first 4 bytes of SHA-256 over "netcombiner token 1" and the contents |
 *
 *     contents  | public key:256 | secret:128 | expires:32 | port:16 | mtu:16 |
 *               | n:8 | n x (prefix:8, address:32 or 128) | m:8 | m x (length:8, host) |
 *
 * - `public key`: the remote portal's. `mtu`: largest packet in the tunnel, 0 for the default.
 * - `secret`: authorises one local portal to enrol its own public key; worthless afterwards. `expires`: seconds since 1970.
 * - `address`: the remote portal's in the tunnel, with 128 added to the prefix length for IPv6; the local portal takes the next one.
 * - `host`: a name or address of the remote portal, as text.
 *
 * The number after `nc` grows when the contents change their meaning.
 */
import { createHash } from "node:crypto";
import { isHost } from "../config/values.ts";
import { addressOf, createEndpoint, familyOf, setEndpoint } from "../endpoint.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import type { PrefixedAddress } from "../host/host.ts";
import { isPublicKey } from "../security/x25519.ts";
import { SECRET_SIZE } from "./enrolment.ts";

/** The contents of a token. */
export interface Pairing {
  /** The remote portal's public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Authorises one enrolment, 16 bytes. */
  readonly secret: Uint8Array;
  /** Time from which the remote portal refuses the token, seconds since 1970. */
  readonly expires: number;
  /** UDP port of the remote portal. */
  readonly port: number;
  /** Largest packet in the tunnel, bytes; 0 for the default. */
  readonly mtu: number;
  /** The remote portal's own addresses in the tunnel. */
  readonly addresses: readonly PrefixedAddress[];
  /** Names or addresses of the remote portal, in the order of preference. */
  readonly hosts: readonly string[];
}

const PREFIX = "nc1-";
const KEY_SIZE = 32;
const CHECKSUM_SIZE = 4;
const IPV6_MARK = 128;
const LIST_MAX = 8;
/** Limit far above the length of any real token, characters. */
const LENGTH_MAX = 4_096;

/** True if the text begins as a token does. */
export function looksLikeToken(text: string): boolean {
  return /^nc\d+-/.test(text);
}

/** Returns the token as text. */
export function encodeToken(pairing: Pairing): string {
  const { publicKey, secret, expires, port, mtu, addresses, hosts } = pairing;
  const contents = [
    ...publicKey,
    ...secret,
    ...sixteen(expires >>> 16),
    ...sixteen(expires & 0xffff),
    ...sixteen(port),
    ...sixteen(mtu),
    addresses.length,
    ...addresses.flatMap(({ address, prefix }) => [
      prefix + (familyOf(address) === 6 ? IPV6_MARK : 0),
      ...addressOf(address),
    ]),
    hosts.length,
    ...hosts.flatMap((host) => [host.length, ...Buffer.from(host, "latin1")]),
  ];
  const bytes = Buffer.from(contents);
  return PREFIX + Buffer.concat([bytes, checksum(bytes)]).toString("base64url");
}

/**
 * Parses a token; ignores white space in it, as mails and terminals add it. Its contents need not be a valid configuration.
 * @throws NetcombinerError `DATA` that says what to do, without quoting the token
 */
export function decodeToken(text: string): Pairing {
  const token = text.replaceAll(/\s/g, "");
  const version = /^nc(\d+)-/.exec(token)?.[1];
  if (version === undefined) throw fault('it begins with "nc1-"; copy the whole line that "netcombiner init" printed');
  if (version !== "1") throw fault(`it is of version ${version.slice(0, 9)}; use the same netcombiner at both portals`);
  const encoded = token.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, "base64url");
  const isWhole = encoded.length <= LENGTH_MAX && bytes.toString("base64url") === encoded;
  const contents = bytes.subarray(0, -CHECKSUM_SIZE);
  if (!isWhole || !checksum(contents).equals(bytes.subarray(-CHECKSUM_SIZE))) {
    throw fault('characters are missing or wrong; copy the whole line that "netcombiner init" printed');
  }
  return new Reader(contents).pairing();
}

/** Returns the local portal's address in the tunnel: the one after the remote portal's. */
export function localAddress({ address, prefix }: PrefixedAddress): PrefixedAddress {
  const out = address.slice();
  const bytes = addressOf(out);
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = ((bytes[i] as number) + 1) & 0xff;
    if (bytes[i] !== 0) break;
  }
  return { address: out, prefix };
}

function sixteen(value: number): [number, number] {
  return [value >>> 8, value & 0xff];
}

function checksum(contents: Uint8Array): Buffer {
  return createHash("sha256").update("netcombiner token 1").update(contents).digest().subarray(0, CHECKSUM_SIZE);
}

function fault(what: string): NetcombinerError {
  return new NetcombinerError(`not a token: ${what}`, EXIT.DATA);
}

/** Reads the contents. Their checksum is right, so a fault here was made together with the token. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  pairing(): Pairing {
    const publicKey = this.#take(KEY_SIZE).slice();
    const secret = this.#take(SECRET_SIZE).slice();
    const expires = this.#sixteen() * 0x1_0000 + this.#sixteen();
    const port = this.#sixteen();
    const mtu = this.#sixteen();
    const addresses = this.#list(() => this.#address());
    const hosts = this.#list(() => Buffer.from(this.#take(this.#byte())).toString("latin1"));
    const isWhole = this.#at === this.#bytes.length && isPublicKey(publicKey);
    if (!isWhole || port === 0 || hosts.length === 0 || !hosts.every(isHost)) throw fault(MALFORMED);
    return { publicKey, secret, expires, port, mtu, addresses, hosts };
  }

  #address(): PrefixedAddress {
    const mark = this.#byte();
    const family = mark >= IPV6_MARK ? 6 : 4;
    const prefix = mark % IPV6_MARK;
    if (family === 4 && prefix > 32) throw fault(MALFORMED);
    const address = createEndpoint();
    setEndpoint(address, family, this.#take(family === 6 ? 16 : 4), 0);
    return { address, prefix };
  }

  #list<T>(read: () => T): T[] {
    const count = this.#byte();
    if (count > LIST_MAX) throw fault(MALFORMED);
    return Array.from({ length: count }, read);
  }

  #sixteen(): number {
    return (this.#byte() << 8) | this.#byte();
  }

  #byte(): number {
    return this.#take(1)[0] as number;
  }

  #take(size: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + size);
    if (bytes.length < size) throw fault(MALFORMED);
    this.#at += size;
    return bytes;
  }
}

const MALFORMED = "its contents are malformed; make a new one with the same version of netcombiner";
