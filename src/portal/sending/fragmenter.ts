// @hot
/**
 * Sends a packet that is too large for its path in parts, all alike in size so that they leave in one run, with consecutive packet numbers.
 * The packet itself stays whole in its slot for retransmissions.
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
  /** Packets sent in parts. */
  packets = 0;

  constructor(context: PortalContext) {
    this.#context = context;
  }

  /** Returns the number of datagrams that a packet of `length` bytes takes on `path`: 1 where it fits. */
  fragmentsOf(path: Path, length: number): number {
    const room = path.mtu - HEADER_SIZE - this.#context.overhead;
    if (length + DATA_SIZE <= room) return 1;
    return Math.ceil(length / (room - FRAGMENT_SIZE));
  }

  /** False if the packet cannot be sent in so many parts now; it is dropped then. */
  admits(slot: Slot, parts: number): boolean {
    if (parts <= MAX_FRAGMENTS && parts <= this.#context.pool.free) return true;
    drop(this.#context, slot, parts > MAX_FRAGMENTS ? "packet-too-big" : "no-slot");
    return false;
  }

  /**
   * Appends the parts of the packet in `slot` to `out`, which has room, and gives up the caller's share of the slot.
   * @param flags as of DATA, @param kept what the path keeps with each part
   */
  send(now: Micros, path: Path, slot: Slot, parts: number, flags: number, kept: number, out: PacketBatch): void {
    const { pool } = this.#context;
    const start = pool.start[slot] as number;
    const length = pool.length[slot] as number;
    const fragment = this.#fragment;
    fragment.flags = flags;
    fragment.bucket = pool.flow[slot] as number;
    fragment.class = pool.class[slot] as number;
    fragment.sequence = pool.sequence[slot] as number;
    for (let part = 0; part < parts; part++) {
      fragment.place(part, parts, length);
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
