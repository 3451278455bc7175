/**
 * The messages of an exchange. Their header has the version and the pattern in place of a packet number.
 *
 *     0                                  4         5         6     8
 *     | type:4 0:4 | receiver index: 24  | version | pattern | 0   |
 *
 * INITIATION  type 1, index 0                  | header | noise | mac1 | mac2 |     noise: 32 [+ 48 with key pairs] + hello 88 + 16
 * RESPONSE    type 2, the initiator's index    | header | noise | mac1 |            noise: 32 + hello 88 + 16
 * COOKIE      type 3, index 0                  | header | nonce: 24 | cookie: 16 + tag: 16 |
 *
 * `noise` is a message of the Noise protocol (`exchange/noise.ts`): an ephemeral public key, with key pairs the sender's own public key
 * encrypted, and the hello encrypted. The header is part of what is authenticated. `mac1` proves that the sender knows the addressee's
 * key, `mac2` that it receives at its address (`exchange/cookies.ts`); both are keyed BLAKE2s over everything before them.
 * A response is never larger than the initiation.
 *
 * HELLO, encrypted in an initiation and a response:
 *
 *     0       1        2        3    4           8     16     18       20          22             24        28     52       69            86  88
 *     | flags | offers | chosen | 0  | index: 32 | run | link | metric | AES cost  | ChaCha cost  | attempt | name | source | destination | 0  |
 *                                                  8     16     16       16          16             32        24     1 + 16   1 + 16
 *
 * - `offers`: a bit for each suite this end accepts, by its number; `chosen`: the responder's choice, 255 if there is none.
 *   The costs, in units of 10 ns for 1400 bytes, are what it chooses by; 0 where not measured.
 * - `index`: the sender's receiver index for this path; `run`: random, one per start of the portal.
 * - `attempt` counts the initiations of a run, so that a replayed one is recognised.
 * - `link`, `metric`, `name`: the sender's number, preference and name for the link, so that the other end needs no configuration of its own.
 * - `source`, `destination`: family (4, 6 or 0) and address of this very datagram between the NATs, if the flag asks for that.
 */
import { createEndpoint, type Endpoint, familyOf, setEndpoint } from "../endpoint.ts";
import { HEADER_SIZE, indexOf, typeOf, writeHeader } from "./datagram.ts";

export const PROTOCOL_VERSION = 1;
/**
 * Handshake patterns: a shared key, key pairs, or no secret (NNpsk0 with a key of zeros). `enrolment` starts no path
 * (`pairing/enrolment.ts`): a running portal refuses it.
 */
export const PATTERN = { NNpsk0: 0, IKpsk2: 1, open: 2, enrolment: 3 } as const;
export const HELLO_SIZE = 88;
export const MAC_SIZE = 16;
export const RUN_SIZE = 8;
export const NAME_SIZE = 24;
export const COOKIE_NONCE_SIZE = 24;
export const COOKIE_MESSAGE_SIZE = HEADER_SIZE + COOKIE_NONCE_SIZE + 2 * MAC_SIZE;

const FLAG_ADDRESSES = 1;
const COST_UNIT = 10;
/** Offsets of the costs, by number of the suite. */
const COSTS = [
  [2, 20],
  [3, 22],
] as const;

/** The content of an exchange message. */
export interface Hello {
  readonly suites: number;
  /** Number of the suite, in a response. */
  readonly chosen: number;
  /** Nanoseconds by number of the suite. */
  readonly costs: readonly number[];
  readonly index: number;
  /** 8 bytes. */
  readonly run: Uint8Array;
  readonly attempt: number;
  readonly link: number;
  readonly metric: number;
  /** At most 24 bytes of UTF-8; longer ones are cut. */
  readonly name: string;
  /** Addresses of this datagram between the NATs; undefined if they are not authenticated. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

/** Returns the 8 bytes in front of an exchange message. */
export function exchangeHeader(type: number, receiverIndex: number, pattern: number): Uint8Array {
  const out = new Uint8Array(HEADER_SIZE);
  writeHeader(new DataView(out.buffer), 0, type, receiverIndex, ((PROTOCOL_VERSION << 24) | (pattern << 16)) >>> 0);
  return out;
}

/** Reads the unencrypted header of an exchange message; returns undefined if the message is too short. */
export function readExchangeHeader(message: Uint8Array) {
  if (message.length < HEADER_SIZE) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  return {
    type: typeOf(view, 0),
    receiverIndex: indexOf(view, 0),
    version: view.getUint8(4),
    pattern: view.getUint8(5),
  };
}

export function encodeHello(hello: Hello): Uint8Array {
  const out = new Uint8Array(HELLO_SIZE);
  const view = new DataView(out.buffer);
  view.setUint8(0, hello.addresses ? FLAG_ADDRESSES : 0);
  view.setUint8(1, hello.suites);
  view.setUint8(2, hello.chosen);
  view.setUint32(4, hello.index);
  out.set(hello.run.subarray(0, RUN_SIZE), 8);
  view.setUint16(16, hello.link);
  view.setUint16(18, hello.metric);
  for (const [suite, at] of COSTS)
    view.setUint16(at, Math.min(0xffff, Math.round((hello.costs[suite] ?? 0) / COST_UNIT)));
  view.setUint32(24, hello.attempt);
  new TextEncoder().encodeInto(hello.name, out.subarray(28, 28 + NAME_SIZE));
  if (hello.addresses) {
    putAddress(out, 52, hello.addresses.source);
    putAddress(out, 69, hello.addresses.destination);
  }
  return out;
}

/** Reads what `encodeHello` wrote; returns undefined if it is invalid. Unknown flags are invalid, as they would change the meaning. */
export function decodeHello(bytes: Uint8Array): Hello | undefined {
  if (bytes.length !== HELLO_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(0);
  const index = view.getUint32(4);
  const source = takeAddress(bytes, 52);
  const destination = takeAddress(bytes, 69);
  if ((flags & ~FLAG_ADDRESSES) !== 0 || index === 0 || index > 0xffffff || !source || !destination) return undefined;
  const costs: number[] = [0, 0];
  for (const [suite, at] of COSTS) costs[suite] = view.getUint16(at) * COST_UNIT;
  return {
    suites: view.getUint8(1),
    chosen: view.getUint8(2),
    costs,
    index,
    run: bytes.slice(8, 8 + RUN_SIZE),
    attempt: view.getUint32(24),
    link: view.getUint16(16),
    metric: view.getUint16(18),
    name: decodeName(bytes.subarray(28, 28 + NAME_SIZE)),
    addresses: flags & FLAG_ADDRESSES ? { source, destination } : undefined,
  };
}

function putAddress(out: Uint8Array, at: number, endpoint: Endpoint): void {
  out[at] = familyOf(endpoint);
  out.set(endpoint.subarray(4, 20), at + 1);
}

function takeAddress(message: Uint8Array, at: number): Endpoint | undefined {
  const family = message[at];
  const out = createEndpoint();
  if (family === 4 || family === 6) setEndpoint(out, family, message.subarray(at + 1, at + 17), 0);
  else if (family !== 0) return undefined;
  return out;
}

/** Reads the name as printable ASCII, since it comes from the network and goes to terminals. */
function decodeName(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return text;
}
