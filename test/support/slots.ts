/** Moves bytes in and out of a pool. */
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";
import type { Security } from "../../src/security/security.ts";
import { HEADER_SIZE } from "../../src/wire/datagram.ts";

/** Returns a slot with `bytes` as the packet in it. */
export function slotWith(pool: PacketPool, bytes: Uint8Array): Slot {
  const slot = pool.take();
  if (slot < 0) throw new Error("the pool is empty");
  pool.bytes.set(bytes, pool.start[slot]);
  pool.length[slot] = bytes.length;
  return slot;
}

/** Returns a copy of what is in the slot. */
export function contentOf(pool: PacketPool, slot: Slot): Uint8Array<ArrayBuffer> {
  const start = pool.start[slot] as number;
  return pool.bytes.slice(start, start + (pool.length[slot] as number));
}

/** Protects in place what is in the slot: a header of 8 bytes and messages. */
export function sealSlot(security: Security, pool: PacketPool, slot: Slot, packetNumber = 0): void {
  const length = (pool.length[slot] as number) - HEADER_SIZE;
  security.seal(pool, slot, packetNumber, (pool.start[slot] as number) + HEADER_SIZE, length);
}

/** Protects the same datagram into another slot, which it returns. */
export function sealElsewhere(security: Security, pool: PacketPool, slot: Slot, packetNumber = 0): Slot {
  const into = pool.take();
  const from = pool.start[slot] as number;
  const to = pool.datagramOrigin(into);
  pool.start[into] = to;
  pool.bytes.copyWithin(to, from, from + HEADER_SIZE);
  security.seal(pool, into, packetNumber, from + HEADER_SIZE, (pool.length[slot] as number) - HEADER_SIZE);
  return into;
}
