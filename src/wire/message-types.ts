/**
 * The messages that a transport datagram carries, one after the other, and their types: the upper four bits of the first byte.
 * Each has a file of its own with its byte diagram; all integers are big-endian.
 *
 *     PAD 0, PROBE 3     `probe.ts`        padding; a request for an acknowledgement
 *     DATA 1             `data.ts`         a packet of the host, to the end of the datagram
 *     ACK 2              `ack.ts`          what one direction of a path has received
 *     CLOSE 4            `close.ts`        the end of a path
 *     HOLD 5             `hold.ts`         how long early packets are worth holding
 *     ABANDON 6          `abandon.ts`      packets that will not be sent again
 *     FRAG 7             `fragment.ts`     a fragment of a packet, to the end of the datagram
 *     REKEY 8            `rekey.ts`        a handshake for the next keys
 *     LINK 9             `link-limits.ts`  limits that the sender has for the path
 *     DIAGNOSIS 10       `diagnosis-messages.ts`    questions of a person, and answers
 *     CHALLENGE 11       `challenge.ts`    proof that the peer receives at an address
 *
 * A type that is not in this list makes the rest of the datagram malformed. A function that writes a message returns the offset behind it.
 */
export const MESSAGE = {
  PAD: 0,
  DATA: 1,
  ACK: 2,
  PROBE: 3,
  CLOSE: 4,
  HOLD: 5,
  ABANDON: 6,
  FRAG: 7,
  REKEY: 8,
  LINK: 9,
  DIAGNOSIS: 10,
  CHALLENGE: 11,
} as const;

/** Returns the type of the message at `at`, one of `MESSAGE` if it is known. */
export function messageAt(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4;
}
