/**
 * REKEY: one message of the handshake for a path's next keys (`exchange/session.ts`).
 *
 *     | 8:4 ANSWER:1 0:3 | epoch:32 | length:8 | Noise message |                                         6 + length
 *
 * `epoch` numbers the keys of a path: those of the exchange are 0.
 */
import { MESSAGE } from "./message-types.ts";

/** Bytes in front of the Noise message. */
export const REKEY_SIZE = 6;
const ANSWER = 8;

/** @param bytes of the same memory as `view` */
export function writeRekey(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  isAnswer: boolean,
  epoch: number,
  message: Uint8Array,
): number {
  view.setUint8(at, (MESSAGE.REKEY << 4) | (isAnswer ? ANSWER : 0));
  view.setUint32(at + 1, epoch);
  view.setUint8(at + 5, message.length);
  bytes.set(message, at + REKEY_SIZE);
  return at + REKEY_SIZE + message.length;
}

/** Returns the size of the message at `at`, or -1 if it does not fit before `end`. */
export function rekeySize(view: DataView, at: number, end: number): number {
  if (end - at < REKEY_SIZE) return -1;
  const size = REKEY_SIZE + view.getUint8(at + 5);
  return size > end - at ? -1 : size;
}

export function isRekeyAnswer(view: DataView, at: number): boolean {
  return (view.getUint8(at) & ANSWER) !== 0;
}

export function rekeyEpoch(view: DataView, at: number): number {
  return view.getUint32(at + 1);
}
