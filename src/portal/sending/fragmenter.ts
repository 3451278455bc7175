// @hot
/**
 * Sends a packet that is too large for its path as fragments, of equal size so that they leave in one run, with consecutive packet numbers.
 * The packet itself stays whole in its slot, for retransmissions.
 */
import type { Micros } from "../../clock.ts";
import type { PacketBatch } from "../../memory/packet-batch.ts";
import type { Slot } from "../../memory/packet-pool.ts";
import type { Path } from "../../path/path.ts";
import { DATA_SIZE } from "../../wire/data.ts";
import { HEADER_SIZE } from "../../wire/datagram.ts";
import { FRAGMENT_SIZE, Fragment, MAX_FRAGMENTS } from "../../wire/fragment.ts";
import { drop, type PortalContext } from "../context.ts";

export class Fragmenter {
  readonly #context: PortalContext;
  readonly #fragment = new Fragment();
  /** Packets sent as fragments. */
  packets = 0;

  constructor(context: PortalContext) {
    this.#context = context;
  }

  /** Returns how many datagrams a packet of `length` bytes takes on `path`: 1 where it fits. */
  fragmentsOf(path: Path, length: number): number {
    const room = path.mtu - HEADER_SIZE - this.#context.overhead;
    if (length + DATA_SIZE <= room) return 1;
    return Math.ceil(length / (room - FRAGMENT_SIZE));
  }

  /** Returns false, and drops the packet, if it cannot be sent in so many fragments now. */
  admits(slot: Slot, fragments: number): boolean {
    if (fragments <= MAX_FRAGMENTS && fragments <= this.#context.pool.free) return true;
    drop(this.#context, slot, fragments > MAX_FRAGMENTS ? "packet-too-big" : "no-slot");
    return false;
  }

  /**
   * Appends the fragments of the packet in `slot` to `out`, which has room, and releases the slot for the caller.
   * @param flags as of DATA
   * @param kept number to keep with each datagram
   */
  send(now: Micros, path: Path, slot: Slot, fragments: number, flags: number, kept: number, out: PacketBatch): void {
    const { pool } = this.#context;
    const start = pool.start[slot] as number;
    const length = pool.length[slot] as number;
    const fragment = this.#fragment;
    fragment.flags = flags;
    fragment.bucket = pool.flow[slot] as number;
    fragment.class = pool.class[slot] as number;
    fragment.sequence = pool.sequence[slot] as number;
    for (let i = 0; i < fragments; i++) {
      fragment.place(i, fragments, length);
      const own = pool.take();
      const to = pool.start[own] as number;
      pool.bytes.copyWithin(to, start + fragment.offset, start + fragment.offset + fragment.size);
      fragment.write(pool.view, to - FRAGMENT_SIZE);
      pool.start[own] = to - FRAGMENT_SIZE;
      pool.length[own] = FRAGMENT_SIZE + fragment.size;
      path.seal(now, pool, own, true, kept);
      out.push(own);
    }
    this.packets++;
    pool.release(slot);
  }
}
