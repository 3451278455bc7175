/**
 * CLOSE: the sender has ended this path.
 *
 *     | 4:4 0:4 | reason:8 |                                                                             2
 */
import { MESSAGE } from "./message-types.ts";

export const CLOSE_SIZE = 2;

/** Why a path was ended. A reason that is not known counts as `REMOVED`. */
export const CLOSE_REASON = {
  /** The portal ends. */
  SHUTDOWN: 1,
  /** The link was removed or taken down. */
  REMOVED: 2,
} as const;

export function writeClose(view: DataView, at: number, reason: number): number {
  view.setUint8(at, MESSAGE.CLOSE << 4);
  view.setUint8(at + 1, reason);
  return at + CLOSE_SIZE;
}

export function closeReason(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
