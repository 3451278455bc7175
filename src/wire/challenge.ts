// @hot
/**
 * CHALLENGE: asks whether the peer receives at the address that the datagram is sent to (RFC 9000, 8.2).
 *
 *     | 11:4 0:3 ANSWER:1 | token:64 |     with ANSWER, the token of a challenge is repeated             9
 */
import { MESSAGE } from "./message-types.ts";

/** Bytes of a token, random. */
export const CHALLENGE_TOKEN = 8;
export const CHALLENGE_SIZE = 1 + CHALLENGE_TOKEN;
const ANSWER = 1;

/** @param bytes of the same memory as `view` */
export function writeChallenge(view: DataView, bytes: Uint8Array, at: number, token: Uint8Array, isAnswer: boolean) {
  view.setUint8(at, (MESSAGE.CHALLENGE << 4) | (isAnswer ? ANSWER : 0));
  bytes.set(token, at + 1);
  return at + CHALLENGE_SIZE;
}

export function isChallengeAnswer(view: DataView, at: number): boolean {
  return (view.getUint8(at) & ANSWER) !== 0;
}

/** Returns a copy of the token. */
export function challengeToken(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at + 1, at + CHALLENGE_SIZE);
}
