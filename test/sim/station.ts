/** A station is an endpoint of the user's traffic in the simulated world; the outlet is the world to it. */
import type { Micros } from "../../src/clock.ts";
import type { PacketPool, Slot } from "../../src/memory/packet-pool.ts";
import type { Side } from "../support/packets/slots.ts";

/** An end of a conversation: packets and time in, packets out through its `Outlet`. */
export interface Station {
  /** Its UDP or TCP port, or ICMP identifier; unique on its side. */
  readonly port: number;
  /** When `handleTimeout` is due; `NEVER` for no deadline. */
  readonly next: Micros;
  /** Takes over the slot, which is in the outlet's pool. */
  handlePacket(now: Micros, slot: Slot): void;
  handleTimeout(now: Micros): void;
}

/** The way out for a station's packets. */
export interface Outlet {
  readonly pool: PacketPool;
  readonly side: Side;
  /** Returns a number no other packet of the world has: the time in microseconds where that is free. Below 2^32. */
  serial(now: Micros): number;
  /** Returns a slot owned by the caller. */
  take(): Slot;
  /** Takes over the slot. */
  send(now: Micros, slot: Slot): void;
}
