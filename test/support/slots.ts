/** Moves bytes in and out of a pool. */
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";

/** A slot with `bytes` as the packet in it. */
export function slotWith(pool: PacketPool, bytes: Uint8Array): Slot {
  const slot = pool.take();
  if (slot < 0) throw new Error("the pool is empty");
  pool.bytes.set(bytes, pool.start[slot]);
  pool.length[slot] = bytes.length;
  return slot;
}

/** A copy of what is in the slot. */
export function contentOf(pool: PacketPool, slot: Slot): Uint8Array<ArrayBuffer> {
  const start = pool.start[slot] as number;
  return pool.bytes.slice(start, start + (pool.length[slot] as number));
}
