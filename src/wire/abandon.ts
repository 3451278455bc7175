// @hot
/**
 * ABANDON: packets that will not be sent again, so that the receiver need not wait for them.
 *
 *     | 6:4 0:4 | 0:3 bucket:13 | sequence:24 | count:8 |     `count` packets from `sequence` on         7
 */
import { DATA_SIZE, writePlace } from "./data.ts";
import { MESSAGE } from "./message-types.ts";

export const ABANDON_SIZE = DATA_SIZE + 1;

export function writeAbandon(view: DataView, at: number, bucket: number, sequence: number, count: number): number {
  writePlace(view, at, MESSAGE.ABANDON << 4, bucket, 0, sequence);
  view.setUint8(at + DATA_SIZE, count);
  return at + ABANDON_SIZE;
}

/** Returns the number of packets; bucket and sequence are read as those of DATA. */
export function abandonCount(view: DataView, at: number): number {
  return view.getUint8(at + DATA_SIZE);
}
