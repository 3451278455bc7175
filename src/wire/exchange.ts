/**
 * The protocol, part 3: the two messages of an exchange, initiation and response, of one size and shape so that an answer is never
 * larger than the question. The header's receiver index is 0 in an initiation, the initiator's index in a response.
 *
 *     0        8         9       10         11   12          16      24     26       28       60     84        101            118  120   136
 *     | header | version | flags | security | 0  | index: 32 | run   | link | metric | random | name | source  | destination  | 0  | MAC |
 *                                                              8       16     16       32       24     1 + 16    1 + 16               16
 *
 * - `index`: by which the sender of this message wants to be addressed on this path; `run`: random, one per start of the portal.
 * - `link`, `metric`, `name`: the sender's number, preference and name for the link, so that the other end need not be told.
 * - `source`, `destination`: family (4, 6 or 0) and address of this very datagram between the NATs, if the flag asks for that.
 * - `MAC`: keyed BLAKE2s over everything before it.
 */
import { createEndpoint, type Endpoint, familyOf, setEndpoint } from "../endpoint.ts";
import { HEADER_SIZE, indexOf, TYPE, typeOf, writeHeader } from "./datagram.ts";

export const PROTOCOL_VERSION = 1;
export const EXCHANGE_SIZE = 136;
/** Bytes of an exchange message that its MAC covers. */
export const EXCHANGE_COVERED = 120;
export const RUN_SIZE = 8;
export const RANDOM_SIZE = 32;
export const NAME_SIZE = 24;

export const EXCHANGE_FLAG = { ADDRESSES: 1 } as const;

/** What one end says of itself in an exchange message. */
export interface Hello {
  readonly security: number;
  readonly index: number;
  /** 8 bytes. */
  readonly run: Uint8Array;
  readonly link: number;
  readonly metric: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** At most 24 bytes of UTF-8; longer ones are cut. */
  readonly name: string;
  /** Addresses of this datagram between the NATs; undefined if they are not authenticated. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

/** The message without its MAC filled in. */
export function encodeExchange(type: number, receiverIndex: number, hello: Hello): Uint8Array {
  const out = new Uint8Array(EXCHANGE_SIZE);
  const view = new DataView(out.buffer);
  writeHeader(view, 0, type, receiverIndex, 0);
  view.setUint8(HEADER_SIZE, PROTOCOL_VERSION);
  view.setUint8(9, hello.addresses ? EXCHANGE_FLAG.ADDRESSES : 0);
  view.setUint8(10, hello.security);
  view.setUint32(12, hello.index);
  out.set(hello.run.subarray(0, RUN_SIZE), 16);
  view.setUint16(24, hello.link);
  view.setUint16(26, hello.metric);
  out.set(hello.random.subarray(0, RANDOM_SIZE), 28);
  new TextEncoder().encodeInto(hello.name, out.subarray(60, 60 + NAME_SIZE));
  if (hello.addresses) {
    putAddress(out, 84, hello.addresses.source);
    putAddress(out, 101, hello.addresses.destination);
  }
  return out;
}

export type ExchangeFault = "size" | "version" | "flags" | "index" | "address";

/** Reads what `encodeExchange` wrote; the MAC is the caller's to check. Unknown flags are a fault: they would change the meaning. */
export function decodeExchange(message: Uint8Array): { receiverIndex: number; hello: Hello } | ExchangeFault {
  if (message.length !== EXCHANGE_SIZE) return "size";
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (view.getUint8(HEADER_SIZE) !== PROTOCOL_VERSION) return "version";
  const flags = view.getUint8(9);
  if ((flags & ~EXCHANGE_FLAG.ADDRESSES) !== 0) return "flags";
  const index = view.getUint32(12);
  if (index === 0 || index > 0xffffff) return "index";
  const receiverIndex = indexOf(view, 0);
  if ((receiverIndex === 0) !== (typeOf(view, 0) === TYPE.EXCHANGE_INITIATION)) return "index";
  const source = takeAddress(message, 84);
  const destination = takeAddress(message, 101);
  if (!source || !destination) return "address";
  return {
    receiverIndex,
    hello: {
      security: view.getUint8(10),
      index,
      run: message.slice(16, 16 + RUN_SIZE),
      link: view.getUint16(24),
      metric: view.getUint16(26),
      random: message.slice(28, 28 + RANDOM_SIZE),
      name: decodeName(message.subarray(60, 60 + NAME_SIZE)),
      addresses: flags & EXCHANGE_FLAG.ADDRESSES ? { source, destination } : undefined,
    },
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

/** The name for people: printable ASCII only, since it comes from the network and goes to terminals. */
function decodeName(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return text;
}
