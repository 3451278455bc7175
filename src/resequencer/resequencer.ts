/** Restores the order of packets within flows, within a bounded wait, before they go to the host. */
import type { Micros } from "../clock.ts";
import type { PacketBatch } from "../memory/packet-batch.ts";
import type { Slot } from "../memory/packet-pool.ts";

export interface Resequencer {
  readonly name: string;
  /** Packets held now. */
  readonly held: number;
  /** Packets that were held, holes given up by time, and packets that came after that, since the start. */
  readonly heldTotal: number;
  readonly expired: number;
  readonly late: number;
  /** How long an early packet may wait, µs; told by the sender, who knows the paths. */
  hold: Micros;
  /** The sender will not send these again: what waits for them goes on. */
  abandon(now: Micros, bucket: number, sequence: number, count: number): void;
  /** A new run of the peer: all sequences begin anew. */
  reset(now: Micros): void;
  /** Takes a packet in, its slot with it; flow, class and sequence stand in the pool's columns. */
  push(now: Micros, slot: Slot): void;
  /** Appends what is ready to `out`, whose owner then has the slots; returns how many. */
  poll(now: Micros, out: PacketBatch): number;
  /** When `poll` next has something that it has not now; `NEVER` if only a packet can help. */
  deadline(): Micros;
}
