/**
 * DIAGNOSIS: a person's question about the tunnel, or the answer to one.
 *
 *     | 10:4 kind:4 | token:32 | ...                                                                          bytes
 *
 *     ECHO    0    |                               asks for a REPLY at once                                      5
 *     REPLY   1    | family:8 | port:16 | address:128 |   on the path that ECHO came by, if `family` is not 0,  24
 *                                                  from where it came as this end sees it; otherwise by the best path
 *     BEST    2    |                               asks for a REPLY by the path a lone packet would take now     5
 *     OPEN    3    | secret:128 | seconds:8 |      asks for a responder of a speed test; answered by READY      22
 *     READY   4    | port:16 | IPv4:32 | IPv6:128 |   where it waits inside the tunnel, 0 for no address        27
 *     ALONE   5    | seconds:8 |                   send packets by this path alone for this time; 0 ends it       6
 *
 * The asking end chooses the token, and the answer repeats it. An unknown kind is skipped with the rest of the datagram.
 */
import { createEndpoint, type Endpoint, familyOf, setEndpoint } from "../endpoint.ts";
import { MESSAGE } from "./message-types.ts";

export const DIAGNOSIS = { ECHO: 0, REPLY: 1, BEST: 2, OPEN: 3, READY: 4, ALONE: 5 } as const;

/** Sizes by kind, bytes. */
const SIZES: readonly number[] = [5, 24, 5, 22, 27, 6];
const SECRET_SIZE = 16;

export type DiagnosisMessage =
  | { readonly kind: typeof DIAGNOSIS.ECHO | typeof DIAGNOSIS.BEST; readonly token: number }
  /** `seen` of family 0: the way back was the best path. */
  | { readonly kind: typeof DIAGNOSIS.REPLY; readonly token: number; readonly seen: Endpoint }
  | {
      readonly kind: typeof DIAGNOSIS.OPEN;
      readonly token: number;
      readonly secret: Uint8Array;
      readonly seconds: number;
    }
  | {
      readonly kind: typeof DIAGNOSIS.READY;
      readonly token: number;
      readonly port: number;
      readonly addresses: Endpoint[];
    }
  | { readonly kind: typeof DIAGNOSIS.ALONE; readonly token: number; readonly seconds: number };

export function encodeDiagnosis(message: DiagnosisMessage): Uint8Array {
  const out = new Uint8Array(SIZES[message.kind] as number);
  const view = new DataView(out.buffer);
  view.setUint8(0, (MESSAGE.DIAGNOSIS << 4) | message.kind);
  view.setUint32(1, message.token);
  if (message.kind === DIAGNOSIS.REPLY) {
    out[5] = familyOf(message.seen);
    // Port and address lie in an endpoint as they do here.
    out.set(message.seen.subarray(2, 20), 6);
  } else if (message.kind === DIAGNOSIS.OPEN) {
    out.set(message.secret.subarray(0, SECRET_SIZE), 5);
    out[21] = message.seconds;
  } else if (message.kind === DIAGNOSIS.READY) {
    view.setUint16(5, message.port);
    for (const address of message.addresses) putAddress(out, address);
  } else if (message.kind === DIAGNOSIS.ALONE) out[5] = message.seconds;
  return out;
}

function putAddress(out: Uint8Array, address: Endpoint): void {
  if (familyOf(address) === 4) out.set(address.subarray(4, 8), 7);
  else if (familyOf(address) === 6) out.set(address.subarray(4, 20), 11);
}

/** Returns the size of the message at `offset`, -1 if it does not fit before `end`; one of an unknown kind reaches to `end`. */
export function diagnosisSize(view: DataView, offset: number, end: number): number {
  const size = SIZES[view.getUint8(offset) & 0x0f] ?? end - offset;
  return size > end - offset ? -1 : size;
}

/** Reads a message of that size; returns undefined if it is invalid or of an unknown kind. */
export function decodeDiagnosis(bytes: Uint8Array): DiagnosisMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = view.getUint8(0) & 0x0f;
  if (bytes.length !== SIZES[kind]) return undefined;
  const token = view.getUint32(1);
  if (kind === DIAGNOSIS.ECHO || kind === DIAGNOSIS.BEST) return { kind, token };
  if (kind === DIAGNOSIS.REPLY) {
    const seen = takeSeen(bytes, view);
    return seen && { kind, token, seen };
  }
  if (kind === DIAGNOSIS.OPEN) {
    return { kind, token, secret: bytes.slice(5, 5 + SECRET_SIZE), seconds: bytes[21] as number };
  }
  if (kind === DIAGNOSIS.ALONE) return { kind, token, seconds: bytes[5] as number };
  return { kind: DIAGNOSIS.READY, token, port: view.getUint16(5), addresses: takeAddresses(bytes) };
}

function takeSeen(bytes: Uint8Array, view: DataView): Endpoint | undefined {
  const family = bytes[5];
  const seen = createEndpoint();
  if (family === 4 || family === 6) setEndpoint(seen, family, bytes.subarray(8, 24), view.getUint16(6));
  else if (family !== 0) return undefined;
  return seen;
}

function takeAddresses(bytes: Uint8Array): Endpoint[] {
  const given = [
    [4, bytes.subarray(7, 11)],
    [6, bytes.subarray(11, 27)],
  ] as const;
  return given.flatMap(([family, address]) => {
    if (address.every((byte) => byte === 0)) return [];
    const out = createEndpoint();
    setEndpoint(out, family, address, 0);
    return [out];
  });
}
