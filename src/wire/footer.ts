// @hot
/**
 * The footer of the suite `blake2s`: a sequence that all paths of a portal share, between the messages and the tag.
 *
 *     | sequence: 64 |                                                                                   8
 */
export const FOOTER_SIZE = 8;
const HIGH = 0x1_0000_0000;
/** Above this in the upper half, a number is no integer of 53 bits. */
const HIGH_LIMIT = 0x20_0000;

export function writeFooter(view: DataView, at: number, sequence: number): void {
  view.setUint32(at, Math.floor(sequence / HIGH));
  view.setUint32(at + 4, sequence >>> 0);
}

/** Returns the sequence, or -1 if it is larger than any sender counts. */
export function readFooter(view: DataView, at: number): number {
  const high = view.getUint32(at);
  return high >= HIGH_LIMIT ? -1 : high * HIGH + view.getUint32(at + 4);
}
