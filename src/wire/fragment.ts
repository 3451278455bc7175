// @hot
/**
 * FRAG: a fragment of a packet that is too large for its path.
 *
 *     | 7:4 flags:4 | class:3 bucket:13 | sequence:24 | number:4 last:4 | length:16 | bytes |            9 + bytes
 *
 * A packet of `length` bytes goes in `last + 1` datagrams of one path with consecutive packet numbers; this is fragment `number`, from 0.
 * With n fragments it begins at byte `number * length / n`, rounded up, and ends where the next one begins, which is the end of the
 * datagram. Flags, class, bucket and sequence are those of DATA.
 */
import { bucketOf, classOf, flagsOf, sequenceOf, writePlace } from "./data.ts";
import { MESSAGE } from "./message-types.ts";

/** Bytes in front of the fragment's own. */
export const FRAGMENT_SIZE = 9;
/** Fragments of a packet at most; four bits number them. */
export const MAX_FRAGMENTS = 16;

/** One FRAG message, decoded, with the place of the fragment in its packet; reused for every message. */
export class Fragment {
  flags = 0;
  bucket = 0;
  class = 0;
  sequence = 0;
  number = 0;
  count = 1;
  /** Bytes of the whole packet. */
  length = 0;
  /** Where the fragment begins in the packet, bytes. */
  offset = 0;
  /** Bytes of the fragment. */
  size = 0;

  /** Chooses a fragment of a packet. */
  place(number: number, count: number, length: number): void {
    this.number = number;
    this.count = count;
    this.length = length;
    this.offset = Math.ceil((number * length) / count);
    this.size = Math.ceil(((number + 1) * length) / count) - this.offset;
  }

  /** Writes what goes in front of the fragment's bytes at `at`. */
  write(view: DataView, at: number): number {
    writePlace(view, at, (MESSAGE.FRAG << 4) | this.flags, this.bucket, this.class, this.sequence);
    view.setUint8(at + 6, (this.number << 4) | (this.count - 1));
    view.setUint16(at + 7, this.length);
    return at + FRAGMENT_SIZE;
  }

  /** Reads the message at `at` that runs to `end`; returns false if it is malformed. */
  read(view: DataView, at: number, end: number): boolean {
    if (end - at < FRAGMENT_SIZE) return false;
    this.flags = flagsOf(view, at);
    this.bucket = bucketOf(view, at);
    this.class = classOf(view, at);
    this.sequence = sequenceOf(view, at);
    const places = view.getUint8(at + 6);
    this.place(places >>> 4, (places & 0x0f) + 1, view.getUint16(at + 7));
    return this.number < this.count && this.size > 0 && this.size === end - at - FRAGMENT_SIZE;
  }
}
